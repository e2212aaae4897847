import { defineModel } from '@ring3/backend-sim/model';
import { describeUart } from './description.ts';
import { optionsSchema, type UartOptions } from './options.ts';
import { UartModel } from './uart-model.ts';

export { connectUarts } from './cable.ts';
export type { Character, FarEnd, Format, Inputs, Outputs, UartLine } from './line.ts';
export { optionsSchema, type UartOptions, type UartOptionsInput } from './options.ts';
export { type Keystroke, Terminal, type TerminalOptions } from './terminal.ts';
export { Uart } from './uart.ts';
export { UartModel } from './uart-model.ts';

/** The simulated UART, for `backend: { type: sim, model: '@ring3/driver-uart-16550/model' }`. */
export default defineModel<UartOptions>({
  name: 'uart-16550',
  options: optionsSchema,
  describe: describeUart,
  create: (pins, options) => new UartModel(pins, options),
});
