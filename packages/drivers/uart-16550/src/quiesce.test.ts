import { expect, it } from 'vitest';
import { uart16550, uartOptions } from './index.ts';

it.each([
  [1, 8, 1, 4],
  [2, 16, 2, 8],
  [4, 32, 4, 16],
] as const)('switches interrupts and outputs off where they are with stride %i', (registerStride, width, ier, mcr) => {
  const options = uartOptions.parse({ registerStride, registerWidth: width });
  const write = (offset: number) => ({ kind: 'write', space: 'registers', width, offset, value: 0 });
  expect(uart16550.quiesce?.({ registers: 32 }, options)).toEqual([write(ier), write(mcr)]);
});
