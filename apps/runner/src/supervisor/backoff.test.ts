import { expect, it } from 'vitest';
import { Backoff } from './backoff.ts';

const pauses = (backoff: Backoff, lives: readonly (number | undefined)[]) => lives.map((life) => backoff.nextMs(life));

it('waits longer each time a process cannot start, half a minute at most', () => {
  const waited = pauses(new Backoff(() => 1), Array(12).fill(undefined));
  expect(waited.slice(0, 4)).toEqual([50, 100, 200, 400]);
  expect(waited.at(-1)).toBe(30_000);
});

it('lets clients of a process that had served wait half a second at most', () => {
  expect(Math.max(...pauses(new Backoff(() => 1), Array(12).fill(10)))).toBe(500);
});

it('begins anew after a process that served a second', () => {
  expect(pauses(new Backoff(() => 1), [10, 10, 1000, 10])).toEqual([50, 100, 50, 100]);
});

it('takes up to a quarter off, so that hosts that died together do not start together', () => {
  expect(new Backoff(() => 0).nextMs(undefined)).toBe(37.5);
});
