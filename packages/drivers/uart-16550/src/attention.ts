import type { Clock, Logger, Timer, Verdict } from '@ring3/core';
import type { Engine } from './engine.ts';

/** Part of the time in which a FIFO fills, or runs empty, that may pass between two polls. */
const POLL_PART = 0.75;
const POLL_MIN_US = 100;
const POLL_MAX_US = 10_000;
/**
 * The watchdog gives interrupts at least this time: a busy event loop runs late timers before it delivers what has come
 * meanwhile.
 */
const PATIENCE_US = 50_000;
/** Ticks in a row that may be too late to judge by, before they are used all the same. */
const LATE_LIMIT = 10;
/** Lost interrupts in a row after which the line is taken for dead. */
const LOST_LIMIT = 3;

/**
 * Gives the port its turns: when the device interrupts, or on the clock where it does not. While somebody waits for an
 * interrupt a watchdog looks whether one was lost; after three in a row the port is polled, until an interrupt comes.
 */
export class Attention {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #log: Logger;
  #byInterrupt: boolean;
  #timer: Timer | undefined;
  #lostInARow = 0;
  #interruptsBefore = 0;
  #dueBefore = false;
  /** When the tick should be. */
  #tickUs = 0;
  #lateInARow = 0;
  #stopped = false;

  constructor(engine: Engine, clock: Clock, log: Logger, byInterrupt: boolean) {
    this.#engine = engine;
    this.#clock = clock;
    this.#log = log;
    this.#byInterrupt = byInterrupt;
    engine.onWaiting = () => this.#wake();
    if (!byInterrupt) this.#wake();
  }

  /** The handler of the interrupt. */
  interrupt(): Verdict {
    const verdict = this.#engine.attend();
    if (verdict !== 'handled') return verdict;
    this.#engine.counts.interrupts++;
    this.#lostInARow = 0;
    if (!this.#byInterrupt) {
      this.#byInterrupt = true;
      this.#log.info(`${this.#engine.name}: interrupts come again: no more polling`);
    }
    return verdict;
  }

  /** No interrupt will come any more. */
  pollFromNowOn(why: string): void {
    if (!this.#byInterrupt || this.#stopped) return;
    this.#byInterrupt = false;
    this.#log.warn(`${this.#engine.name}: polling from now on: ${why}`);
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #wake(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    this.#interruptsBefore = this.#engine.counts.interrupts;
    this.#dueBefore = false;
    this.#again();
  }

  get #periodUs(): number {
    const fifoUs = this.#engine.depth * this.#engine.characterUs;
    if (this.#byInterrupt) return Math.max(3 * fifoUs, PATIENCE_US);
    return Math.min(Math.max(POLL_PART * fifoUs, POLL_MIN_US), POLL_MAX_US);
  }

  #tick(): void {
    this.#timer = undefined;
    if (this.#byInterrupt) this.#watch();
    else this.#engine.look();
    this.#engine.checkFlow();
    this.#engine.checkTransmitter();
    if (this.#engine.waiting || !this.#byInterrupt) this.#again();
  }

  #again(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    const periodUs = this.#periodUs;
    this.#tickUs = this.#clock.nowUs() + periodUs;
    this.#timer = this.#clock.after(periodUs, () => this.#tick());
  }

  /**
   * An interrupt was lost when there was something to do, still is, and none has come between. A program that is late
   * itself has perhaps not got to it. The identification register is not asked: reading it would take a transmit
   * interrupt back that is on its way.
   */
  #watch(): void {
    const { counts } = this.#engine;
    const late = this.#clock.nowUs() - this.#tickUs > PATIENCE_US / 2;
    this.#lateInARow = late ? this.#lateInARow + 1 : 0;
    if (late && this.#lateInARow <= LATE_LIMIT) return;
    const silent = counts.interrupts === this.#interruptsBefore;
    const due = this.#engine.isDue;
    const lost = due && silent && this.#dueBefore;
    this.#interruptsBefore = counts.interrupts;
    this.#dueBefore = due && !lost;
    if (!lost) return;
    counts.lostInterrupts++;
    if (++this.#lostInARow === 1)
      this.#log.warn(`${this.#engine.name}: an interrupt did not come; going on as if it had`);
    this.#engine.look();
    if (this.#lostInARow >= LOST_LIMIT) this.pollFromNowOn(`${LOST_LIMIT} interrupts in a row were lost`);
  }
}
