import type { ModelPins } from '@ring3/backend-sim/model';
import type { Timer } from '@ring3/core';
import { type Character, characterUs, type Format } from './line.ts';

/** What the transmitter tells. */
export interface TransmitterEvents {
  /** A character is out, its last stop bit included. */
  sent(character: Character): void;
  /** The holding register or the FIFO has become empty: time for the interrupt. */
  emptied(): void;
  /** The host wrote although there was no room. */
  overflowed(): void;
}

/** The sending half: FIFO or holding register, shift register. Sections 8.4, 8.11. */
export class Transmitter {
  /** 1 in character mode. */
  depth = 1;
  /** Defect: nothing leaves. */
  stalled = false;
  readonly #pins: ModelPins;
  readonly #format: () => Format;
  readonly #events: TransmitterEvents;
  #waiting: number[] = [];
  #shifting: Timer | undefined;
  #showEmpty: Timer | undefined;
  #holdingEmpty = true;
  /** Two characters have been in the FIFO at a time since it was empty. */
  #two = false;

  constructor(pins: ModelPins, format: () => Format, events: TransmitterEvents) {
    this.#pins = pins;
    this.#format = format;
    this.#events = events;
  }

  /** THRE. */
  get holdingEmpty(): boolean {
    return this.#holdingEmpty;
  }

  /** TEMT. */
  get empty(): boolean {
    return this.#holdingEmpty && this.#waiting.length === 0 && this.#shifting === undefined;
  }

  /** The write of THR. */
  put(value: number): void {
    this.#showEmpty?.cancel();
    this.#holdingEmpty = false;
    if (this.#waiting.length >= this.depth) this.#events.overflowed();
    else this.#waiting.push(value);
    if (this.#waiting.length > 1) this.#two = true;
    this.#startSoon();
  }

  /** What waits is dropped; the character in the shift register is not. */
  clear(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = [];
    this.#becomeEmpty();
  }

  /** After a stall, or when the baud generator starts. */
  resume(): void {
    if (this.#waiting.length > 0) this.#startSoon();
  }

  stop(): void {
    this.#shifting?.cancel();
    this.#showEmpty?.cancel();
  }

  /** The start bit begins with the next bit time. */
  #startSoon(): void {
    const { bitUs } = this.#format();
    if (this.#shifting !== undefined || this.stalled || bitUs === 0) return;
    this.#shifting = this.#pins.after(bitUs, () => this.#shiftNext());
  }

  #shiftNext(): void {
    this.#shifting = undefined;
    const value = this.stalled ? undefined : this.#waiting.shift();
    if (value === undefined) return;
    const format = this.#format();
    if (this.#waiting.length === 0) this.#lastHasLeft(format);
    this.#shifting = this.#pins.after(characterUs(format), () => {
      this.#events.sent({ value: value & (2 ** format.dataBits - 1), format });
      this.#shiftNext();
    });
  }

  /** Section 8.11: shown late where there were never two in the FIFO, so that a host gets time to write more. */
  #lastHasLeft(format: Format): void {
    if (this.depth === 1 || this.#two) this.#becomeEmpty();
    else this.#showEmpty = this.#pins.after(characterUs(format) - format.bitUs, () => this.#becomeEmpty());
  }

  #becomeEmpty(): void {
    this.#two = false;
    this.#holdingEmpty = true;
    this.#events.emptied();
  }
}
