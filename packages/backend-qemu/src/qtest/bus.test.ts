import { expect, it } from 'vitest';
import { opCommand, readCommand, writeCommand } from './bus.ts';

it.each([
  [readCommand('port', 8, 0x1f7n), 'inb 0x1f7\n'],
  [readCommand('port', 16, 0x1f0n), 'inw 0x1f0\n'],
  [readCommand('port', 32, 0xcfcn), 'inl 0xcfc\n'],
  [readCommand('memory', 8, 0x801_fc00_9000n), 'readb 0x801fc009000\n'],
  [readCommand('memory', 64, 0x801_a000_0300n), 'readq 0x801a0000300\n'],
  [writeCommand('port', 8, 0x3f6n, 2), 'outb 0x3f6 0x2\n'],
  [writeCommand('memory', 32, 0xe000_0000n, 0xffff_ffff), 'writel 0xe0000000 0xffffffff\n'],
  [writeCommand('memory', 64, 0x80n, 2n ** 64n - 1n), 'writeq 0x80 0xffffffffffffffff\n'],
  [opCommand('port', 0x1f0n, { kind: 'write', width: 8, offset: 7, value: 0xec }), 'outb 0x1f7 0xec\n'],
  [opCommand('memory', 0x1000n, { kind: 'read', width: 16, offset: 2 }), 'readw 0x1002\n'],
])('%j', (text, expected) => {
  expect(text).toBe(expected);
});

it('knows no I/O instruction of 64 bits', () => {
  expect(() => readCommand('port', 64, 0n)).toThrow(RangeError);
});
