import { expect, it } from 'vitest';
import { DmaHistory } from './dma-history.ts';

const MINUTE_US = 60_000_000;

it('three failures of DMA within ten minutes are too many, three in a longer time are not', () => {
  const history = new DmaHistory();
  expect([0, 6, 12, 18].map((minute) => history.note(minute * MINUTE_US))).toEqual([false, false, false, false]);
  expect(history.note(19 * MINUTE_US)).toBe(true);
});
