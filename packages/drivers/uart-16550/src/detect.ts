import { DeviceError, hex } from '@ring3/core';
import type { UartOptions } from './options.ts';
import { FIFO_BYTES, FIFOS, IER, PATTERNS } from './registers.ts';
import type { Uart } from './uart.ts';

/** What answers. */
export interface UartKind {
  readonly model: '8250' | '16450' | '16550' | '16550A';
  /** Characters that each direction takes at a time. */
  readonly depth: number;
}

const IER_BITS = IER.ERBFI | IER.ETBEI | IER.ELSI | IER.EDSSI;

/**
 * Finds out which member of the family it is, and switches its FIFOs on where they work. The 16550 without A loses
 * characters in its FIFOs and is used without (as Linux does, drivers/tty/serial/8250/8250_port.c, autoconfig).
 * @throws DeviceError `not-found` when no UART answers.
 */
export function detectUart(name: string, uart: Uart, options: UartOptions): UartKind {
  for (const pattern of [0, IER_BITS]) {
    const echo = uart.echoOfInterrupts(pattern);
    if (echo === pattern) continue;
    const words = `${name}: no UART answers: Interrupt Enable reads ${hex(echo, 8)} after ${hex(pattern, 8)} was written`;
    throw new DeviceError('not-found', `${words}; compare registerStride and registerWidth with the data sheet`);
  }
  uart.reset();
  const fifos = uart.setFifos(true, options.receiveTrigger);
  if (fifos === FIFOS.WORKING && options.fifo === 'auto') return { model: '16550A', depth: FIFO_BYTES };
  uart.setFifos(false, options.receiveTrigger);
  if (fifos === FIFOS.WORKING) return { model: '16550A', depth: 1 };
  if (fifos === FIFOS.UNUSABLE) return { model: '16550', depth: 1 };
  const scratch = PATTERNS.every((pattern) => uart.echoOfScratch(pattern) === pattern);
  return { model: scratch ? '16450' : '8250', depth: 1 };
}
