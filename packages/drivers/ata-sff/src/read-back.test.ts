import { expect, it } from 'vitest';
import { compare } from './read-back.ts';

const image = {
  ...{ features: 0, count: 1, lbaLow: 2, lbaMid: 3, lbaHigh: 4, lbaTop: 0 },
  previous: { count: 5, lbaLow: 6, lbaMid: 7, lbaHigh: 8 },
};
/** Device 1, LBA. */
const device = 0x50;

it.each([
  ['the registers', [1, 2, 3, 4, 0x50], undefined, 'same'],
  ['obsolete bits of Device', [1, 2, 3, 4, 0xf0], undefined, 'same'],
  ['another count', [0, 2, 3, 4, 0x50], undefined, 'different'],
  ['another address', [1, 2, 3, 0x44, 0x50], undefined, 'different'],
  ['the other device', [1, 2, 3, 4, 0x40], undefined, 'different'],
  ['another address bit in Device', [1, 2, 3, 4, 0x51], undefined, 'different'],
  ['both levels', [1, 2, 3, 4, 0x50], [5, 6, 7, 8], 'same'],
  ['another previous address', [1, 2, 3, 4, 0x50], [5, 6, 7, 9], 'different'],
  ['the same twice', [1, 2, 3, 4, 0x50], [1, 2, 3, 4], 'previous-hidden'],
] as const)('reads back %s', (_what, values, previous, expected) => {
  expect(compare({ image, device }, values, () => previous)).toBe(expected);
});
