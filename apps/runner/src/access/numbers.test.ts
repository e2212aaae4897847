import { expect, it } from 'vitest';
import { checkAligned, parseNumber, parseSmallNumber, parseWidth } from './numbers.ts';

it('reads hexadecimal and decimal numbers of any size', () => {
  expect(parseNumber('0xDEAD_beef', 'it')).toBe(0xdead_beefn);
  expect(parseNumber('18446744073709551615', 'it')).toBe(2n ** 64n - 1n);
  expect(() => parseSmallNumber('0x20000000000000', 'the offset')).toThrow('the offset 0x20000000000000 is too large');
  for (const text of ['', '-1', '1.5', '0x', ' 1', '1e3x']) expect(() => parseNumber(text, 'it'), text).toThrow();
});

it('a width is one of four, and has to be given', () => {
  expect(['8', '16', '32', '64'].map(parseWidth)).toEqual([8, 16, 32, 64]);
  expect(() => parseWidth('24')).toThrow('--width 24: the widths are 8, 16, 32 and 64 bits');
  expect(() => parseWidth(undefined)).toThrow('give the width of the access, --width 8, 16, 32 or 64');
});

it('an address that no access can have is refused with its neighbours', () => {
  expect(() => checkAligned(0x1003n, 32)).toThrow(
    '0x1003 is not a multiple of 4: an access of 32 bits is at 0x1000 or 0x1004',
  );
  for (const width of [8, 16, 32, 64] as const) checkAligned(BigInt(width), width);
  expect(() => checkAligned(4n, 64)).toThrow();
});
