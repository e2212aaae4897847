import { TransmitQueue } from '@ring3/core';
import type { Uart } from './uart.ts';

/** Why nothing may be sent now. */
type Hold = 'flow' | 'settings' | 'break';

/** Moves what is written into the chip, as many characters at a time as it takes. */
export class Transmitter {
  readonly queue = new TransmitQueue();
  readonly #holds = new Set<Hold>();
  readonly #uart: Uart;
  readonly #depth: number;
  /** XON or XOFF, which goes before everything else. */
  #urgent: number | undefined;
  /** When characters were given to the chip last. */
  #lastFilledUs = 0;
  /** Characters that went, for statistics. */
  characters = 0;

  constructor(uart: Uart, depth: number) {
    this.#uart = uart;
    this.#depth = depth;
  }

  /** Whether it waits for the chip to become empty. */
  get waiting(): boolean {
    return this.#urgent !== undefined || (this.#holds.size === 0 && !this.queue.idle);
  }

  /** When the chip last had room. */
  get lastFilledUs(): number {
    return this.#lastFilledUs;
  }

  hold(reason: Hold, held: boolean): void {
    if (held) this.#holds.add(reason);
    else this.#holds.delete(reason);
  }

  sendUrgent(character: number): void {
    this.#urgent = character;
  }

  /** The transmitter is empty: gives it as much as it takes. */
  fill(nowUs: number): void {
    this.#lastFilledUs = nowUs;
    let room = this.#depth;
    if (this.#urgent !== undefined) {
      this.#uart.put(Uint8Array.of(this.#urgent));
      this.#urgent = undefined;
      room--;
    }
    while (room > 0 && this.#holds.size === 0) {
      const piece = this.queue.next(room);
      if (piece.length === 0) return;
      this.#uart.put(piece);
      this.characters += piece.length;
      this.queue.taken(piece.length);
      room -= piece.length;
    }
  }

  /** The time of writing begins to count now. */
  begin(nowUs: number): void {
    this.#lastFilledUs = nowUs;
  }
}
