import type { Clock, InterruptLine, InterruptSink, Timer } from '@ring3/core';

/** What a {@link PolledLine} reads, and when it says that the device wants something. */
export interface PolledRegister {
  /** One access. */
  readonly read: () => number;
  readonly mask: number;
  /** The device wants something while the masked value is this one; `undefined`: while it is not zero. */
  readonly equals: number | undefined;
  readonly intervalUs: number;
}

/**
 * Stands where a device has no interrupt that could be had: reads a register over and over. Reads nothing while it is
 * disabled. A level that stays is delivered at each reading.
 */
export class PolledLine implements InterruptLine {
  readonly trigger = 'polled';
  readonly #register: PolledRegister;
  readonly #clock: Clock;
  #sink: InterruptSink | undefined;
  #timer: Timer | undefined;

  constructor(register: PolledRegister, clock: Clock) {
    this.#register = register;
    this.#clock = clock;
  }

  listen(sink: InterruptSink): void {
    this.#sink = sink;
  }

  enable(): void {
    this.#timer ??= this.#clock.after(this.#register.intervalUs, () => this.#look());
  }

  disable(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  rearm(): void {
    // Nothing was masked.
  }

  #look(): void {
    const { read, mask, equals, intervalUs } = this.#register;
    // Before the owner is asked: it may disable the line, or throw.
    this.#timer = this.#clock.after(intervalUs, () => this.#look());
    const value = (read() & mask) >>> 0;
    if (equals === undefined ? value !== 0 : value === equals) this.#sink?.event();
  }
}
