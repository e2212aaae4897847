import type { ReceiveQueue } from '@ring3/core';
import type { PortStatus } from './port-status.ts';
import { LSR, XOFF, XON } from './registers.ts';
import type { Uart } from './uart.ts';

const CHARACTER_ERRORS = LSR.PE | LSR.FE | LSR.BI;

/** Moves characters from the chip to those who read, and counts what went wrong with them. */
export class Receiver {
  /** XON and XOFF mean something. */
  obeysXoff = false;
  /** The other end has sent XOFF. */
  held = false;
  /** Characters that came, for statistics. */
  characters = 0;
  readonly #uart: Uart;
  readonly #queue: ReceiveQueue;
  readonly #status: PortStatus;
  readonly #block: Uint8Array;

  /** @param depth of the FIFO of the chip. */
  constructor(uart: Uart, queue: ReceiveQueue, status: PortStatus, depth: number) {
    this.#uart = uart;
    this.#queue = queue;
    this.#status = status;
    this.#block = new Uint8Array(depth);
  }

  /**
   * Takes what is there, `limit` characters at most, so that an interrupt ends.
   * @param known how many characters are there for certain: those come in one access, if none has an error.
   * @returns the last line status that was seen.
   */
  takeAll(lineStatus: number, known: number, limit: number): number {
    let status = lineStatus;
    let left = limit;
    this.noteOverrun(status);
    if (known > 1 && (status & (LSR.FIFO_ERROR | CHARACTER_ERRORS)) === 0) {
      const block = this.#block.subarray(0, known);
      this.#uart.takeBlock(block);
      for (const character of block) this.#accept(character, 0);
      return status & ~LSR.DR;
    }
    while ((status & LSR.DR) !== 0 && left-- > 0) {
      const [character, after] = this.#uart.takeAndLook();
      this.#accept(character, status);
      this.noteOverrun(after);
      status = after;
    }
    return status;
  }

  /** An overrun shows in one line status and not again. */
  noteOverrun(lineStatus: number): void {
    if ((lineStatus & LSR.OE) !== 0) this.#status.count('overruns');
  }

  /** A break stands in the FIFO as one character of zeros (PC16550D 8.4, bit 4). */
  #accept(character: number, errors: number): void {
    this.characters++;
    if ((errors & LSR.BI) !== 0) {
      this.#status.count('breaks');
      return;
    }
    if ((errors & LSR.PE) !== 0) this.#status.count('parity');
    if ((errors & LSR.FE) !== 0) this.#status.count('framing');
    if (this.obeysXoff && (character === XON || character === XOFF)) this.held = character === XOFF;
    else if (!this.#queue.push(character)) this.#status.count('bufferOverruns');
  }
}
