import { expect, it } from 'vitest';
import { bitsPerCharacter, checkSerialChange, type SerialChange } from './serial-port.ts';

it('accepts every change that can be', () => {
  checkSerialChange({});
  checkSerialChange({ baudRate: 110, dataBits: 5, parity: 'mark', stopBits: 1.5, flowControl: 'xon-xoff' });
  checkSerialChange({ dtr: false, rts: true, break: false });
});

it.each([
  [{ baudRate: -1 }, 'baudRate -1: give bits per second, more than 0'],
  [{ dataBits: 9 }, 'dataBits 9: give 5, 6, 7, 8'],
  [{ colour: 'red' }, 'a serial port has no colour; there is: baudRate, dataBits, parity'],
])('refuses %j in words', (change, words) => {
  expect(() => checkSerialChange(change as SerialChange)).toThrow(words);
});

it.each([
  [{ dataBits: 8, parity: 'none', stopBits: 1 }, 10],
  [{ dataBits: 7, parity: 'even', stopBits: 2 }, 11],
  [{ dataBits: 5, parity: 'none', stopBits: 1.5 }, 7.5],
] as const)('counts the bits of a character with %j', (format, bits) => {
  expect(bitsPerCharacter({ baudRate: 9600, flowControl: 'none', ...format })).toBe(bits);
});
