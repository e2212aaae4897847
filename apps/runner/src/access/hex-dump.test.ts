import { expect, it } from 'vitest';
import { hexDump } from './hex-dump.ts';

it('shows bytes with their characters', () => {
  expect(hexDump(0x1000n, [...Buffer.from('ring3: 18 bytes\n!\x7f')], 8)).toEqual([
    '00001000: 72 69 6e 67 33 3a 20 31 38 20 62 79 74 65 73 0a  |ring3: 18 bytes.|',
    '00001010: 21 7f                                            |!.|',
  ]);
});

it('shows words of the width that was read', () => {
  expect(hexDump(0n, [1, 0xffff_ffff], 32)).toEqual(['00000000: 00000001 ffffffff']);
  expect(hexDump(0n, [0x1234, 5], 16)).toEqual(['00000000: 1234 0005']);
  expect(hexDump(2n ** 40n, [1n], 64)).toEqual(['10000000000: 0000000000000001']);
});

it('leaves out lines like the one before, and never the last', () => {
  const lines = hexDump(0n, new Array(20).fill(7), 32).map((line) => line.slice(0, 9));
  expect(lines).toEqual(['00000000:', '*', '00000040:']);
  expect(hexDump(0n, new Array(8).fill(7), 32)).toHaveLength(2);
});
