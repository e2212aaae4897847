import { type Simulation, simulate } from '@ring3/backend-sim';
import model, { optionsSchema, Terminal, UartModel, type UartOptionsInput } from './index.ts';

/** Microseconds of a bit at 9600 baud, and of a character with 8 data bits, no parity and 1 stop bit. */
export const BIT_US = 1e6 / 9600;
export const CHARACTER_US = 10 * BIT_US;

/** A UART of which a test writes and reads every register by hand: 9600 baud, 8N1, FIFOs with trigger 8, a terminal. */
export async function createBench(options: UartOptionsInput = {}) {
  const sim = await simulate(model, optionsSchema.parse({ farEnd: 'none', ...options }));
  if (!(sim.model instanceof UartModel)) throw new Error('the model is another one');
  const { uart } = sim.model;
  const terminal = new Terminal({ after: (us, callback) => sim.clock.afterInDevice(us, callback) }, uart);
  uart.connect(terminal);
  const registers = sim.space('registers');
  const write = (register: number, value: number) => registers.write8(register, value);
  const read = (register: number) => registers.read8(register);
  write(3, 0x83); // DLAB, 8 bits
  write(0, 12);
  write(1, 0);
  write(3, 0x03);
  write(2, 0x87); // FIFOs on and empty, trigger 8
  write(4, 0x08); // OUT2
  return { sim, uart, terminal, read, write, irq: sim.interrupt(), pass: (us: number) => pass(sim, us) };
}

function pass(sim: Simulation, us: number): Promise<void> {
  return sim.run(
    new Promise((resolve) => {
      sim.clock.after(us, resolve);
    }),
  );
}
