import { expect, it } from 'vitest';
import { duration, hex } from './format.ts';

it.each([
  [0, undefined, '0x0'],
  [0x1f7, undefined, '0x1f7'],
  [0x50, 8, '0x50'],
  [5, 8, '0x05'],
  [0x010180, 24, '0x010180'],
  [0xffff_ffff, 32, '0xffffffff'],
  [0x1_0000_0000n, 64, '0x0000000100000000'],
  [-5, 8, '-0x05'],
] as const)('%s in %s bits is written %s', (value, widthBits, text) => {
  expect(hex(value, widthBits)).toBe(text);
});

it.each([
  [0, '0 us'],
  [0.4, '0.4 us'],
  [400, '400 us'],
  [999.6, '1 ms'],
  [1000, '1 ms'],
  [2500, '2.5 ms'],
  [12_345, '12.3 ms'],
  [999_999, '1 s'],
  [30_000_000, '30 s'],
  [3_600_000_000, '3600 s'],
])('%f us is written %s', (us, text) => {
  expect(duration(us)).toBe(text);
});
