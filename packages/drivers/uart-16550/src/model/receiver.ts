import type { ModelPins } from '@ring3/backend-sim/model';
import type { Timer } from '@ring3/core';
import { type Character, characterUs, type Format, parityBit } from './line.ts';
import { LSR } from './uart-registers.ts';

interface Received {
  readonly value: number;
  /** LSR bits that are shown, and then cleared, while the character is the next one. */
  errors: number;
}

/** Clocks that differ by more than this do not understand each other: half a bit in ten. */
const CLOCK_TOLERANCE = 0.045;
/** Silence, in characters, after which a FIFO that holds something asks for service. Section 8.11. */
const TIMEOUT_CHARACTERS = 4;

/** The receiving half: shift register, FIFO or holding register, errors, timeout. Sections 8.4, 8.11. */
export class Receiver {
  /** 1 in character mode. */
  depth = 1;
  triggerLevel = 1;
  readonly #pins: ModelPins;
  readonly #format: () => Format;
  readonly #changed: () => void;
  #held: Received[] = [];
  #overrun = false;
  #timedOut = false;
  #timeout: Timer | undefined;
  #break: Timer | undefined;
  #inBreak = false;

  constructor(pins: ModelPins, format: () => Format, changed: () => void) {
    this.#pins = pins;
    this.#format = format;
    this.#changed = changed;
  }

  /** Its LSR bits. */
  get status(): number {
    const [next] = this.#held;
    const anyError = this.depth > 1 && this.#held.some(({ errors }) => errors !== 0);
    return (
      (next === undefined ? 0 : LSR.dataReady | next.errors) |
      (this.#overrun ? LSR.overrun : 0) |
      (anyError ? LSR.errorInFifo : 0)
    );
  }

  /** Reading LSR shows the errors once. */
  statusWasRead(): void {
    this.#overrun = false;
    const [next] = this.#held;
    if (next !== undefined) next.errors = 0;
    this.#changed();
  }

  get hasError(): boolean {
    return this.#overrun || (this.#held[0]?.errors ?? 0) !== 0;
  }

  /** Enough characters for an interrupt. */
  get triggered(): boolean {
    return this.#held.length >= this.triggerLevel;
  }

  /** Characters lie in the FIFO, and nothing has happened for four character times. */
  get timedOut(): boolean {
    return this.#timedOut;
  }

  /** The read of RBR. */
  take(): number {
    const next = this.#held.shift();
    this.#restartTimeout();
    this.#changed();
    return next?.value ?? 0;
  }

  clear(): void {
    this.#held = [];
    this.#restartTimeout();
    this.#changed();
  }

  receive(character: Character): void {
    if (this.#inBreak) return;
    const errors = this.#judge(character);
    this.#put({ value: character.value & (2 ** this.#format().dataBits - 1), errors });
  }

  /** A break is one character of zeros, however long it lasts; a shorter low is noise. Section 8.4, bit 4. */
  receiveBreak(on: boolean): void {
    this.#inBreak = on;
    this.#break?.cancel();
    if (!on) return;
    this.#break = this.#pins.after(characterUs(this.#format()), () => {
      this.#put({ value: 0, errors: LSR.break | LSR.framing });
    });
  }

  stop(): void {
    this.#timeout?.cancel();
    this.#break?.cancel();
  }

  #judge({ value, format, damage }: Character): number {
    const own = this.#format();
    const apart = Math.abs(format.bitUs - own.bitUs) > CLOCK_TOLERANCE * own.bitUs;
    const sent = parityBit(value, format);
    // Without a parity bit of the sender, its stop bit stands there; with one too many, it stands for the stop bit.
    const parityWrong = own.parity !== 'none' && (sent ?? 1) !== parityBit(value, own);
    const stopMissing = apart || format.dataBits > own.dataBits || (own.parity === 'none' && sent === 0);
    return (
      (parityWrong || damage === 'parity' ? LSR.parity : 0) | (stopMissing || damage === 'framing' ? LSR.framing : 0)
    );
  }

  /** In FIFO mode a character too many is lost in the shift register; else it takes the place of the one before. */
  #put(received: Received): void {
    if (this.#held.length < this.depth) this.#held.push(received);
    else {
      this.#overrun = true;
      if (this.depth === 1) this.#held = [received];
    }
    this.#restartTimeout();
    this.#changed();
  }

  #restartTimeout(): void {
    this.#timedOut = false;
    this.#timeout?.cancel();
    if (this.depth === 1 || this.#held.length === 0) return;
    this.#timeout = this.#pins.after(TIMEOUT_CHARACTERS * characterUs(this.#format()), () => {
      this.#timedOut = true;
      this.#changed();
    });
  }
}
