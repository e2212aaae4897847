import { expect, it } from 'vitest';
import { divisorFor, lineControl } from './line-format.ts';

// PC16550D, table III: divisors with a crystal of 1.8432 MHz.
it.each([
  [50, 2304],
  [110, 1047],
  [1200, 96],
  [9600, 12],
  [38_400, 3],
  [115_200, 1],
  [56_000, 2], // 57600 is 2.86 % away: the datasheet has it.
])('%i baud is divisor %i of 1.8432 MHz', (baudRate, divisor) => {
  expect(divisorFor(1_843_200, baudRate)).toBe(divisor);
});

it.each([
  [230_400, '115200 (-50.0 %'],
  [100_000, '115200 (+15.2 %'],
  [1, '2 (+75.8 %'],
])('refuses %i baud with the nearest rate in words', (baudRate, words) => {
  expect(() => divisorFor(1_843_200, baudRate)).toThrow(words);
});

// PC16550D 8.1, table II: LCR.
it.each([
  [8, 'none', 1, 0x03],
  [7, 'even', 1, 0x1a],
  [7, 'odd', 2, 0x0e],
  [5, 'mark', 1.5, 0x2c],
  [6, 'space', 1, 0x39],
] as const)('%i%s%f is LCR %i', (dataBits, parity, stopBits, value) => {
  expect(lineControl({ baudRate: 9600, flowControl: 'none', dataBits, parity, stopBits })).toBe(value);
});

it.each([
  [8, 1.5],
  [5, 2],
] as const)('has not %i data bits with %f stop bits', (dataBits, stopBits) => {
  const settings = { baudRate: 9600, flowControl: 'none', parity: 'none', dataBits, stopBits } as const;
  expect(() => lineControl(settings)).toThrow(`${stopBits} stop bits with ${dataBits} data bits`);
});
