import type { Clock, Timer } from './clock.ts';
import { duration } from './format.ts';
import type { Logger } from './log.ts';

/** Events in a row that nobody wants, after which the line is taken for stuck (as `note_interrupt` of Linux does). */
const LIMIT = 1000;
const POLL_US = 1000;
const PAUSE_FIRST_US = 10_000;
const PAUSE_MAX_US = 1_000_000;
/** A line that stays stuck is reported this often. */
const REPORT_US = 60_000_000;

/** What {@link StuckLine} does with its line. */
export interface StuckLineActions {
  readonly mask: () => void;
  /** Asks the owner, as long as the line is masked. */
  readonly ask: () => void;
  readonly unmask: () => void;
}

/**
 * Notices a line that fires though nobody wants it, and gets the machine going again: masks it, asks the owner every
 * millisecond instead, and tries the line again after a pause that doubles each time, up to a second.
 */
export class StuckLine {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #actions: StuckLineActions;
  #unwanted = 0;
  #storms = 0;
  #pauseUs = PAUSE_FIRST_US;
  #reportedAtUs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(name: string, clock: Clock, log: Logger, actions: StuckLineActions) {
    this.#name = name;
    this.#clock = clock;
    this.#log = log;
    this.#actions = actions;
  }

  /** How often the line was masked. */
  get storms(): number {
    return this.#storms;
  }

  /** Whether the line is masked and the owner is asked instead. */
  get polling(): boolean {
    return this.#timer !== undefined;
  }

  /** Somebody wanted an event. */
  wanted(): void {
    this.#unwanted = 0;
    this.#pauseUs = PAUSE_FIRST_US;
  }

  /** Nobody wanted an event. */
  unwanted(): void {
    this.#unwanted++;
    if (this.#unwanted < LIMIT || this.polling) return;
    this.#storms++;
    const nowUs = this.#clock.nowUs();
    this.#report(nowUs);
    this.#actions.mask();
    this.#poll(nowUs + this.#pauseUs);
    this.#pauseUs = Math.min(this.#pauseUs * 2, PAUSE_MAX_US);
  }

  /** Forgets the line for good. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #report(nowUs: number): void {
    if (nowUs - this.#reportedAtUs < REPORT_US) return;
    this.#reportedAtUs = nowUs;
    const instead = `masked and polled, tried again in ${duration(this.#pauseUs)}`;
    this.#log.warn(`${this.#name}: ${LIMIT} interrupts in a row that nobody wanted; ${instead}`, {
      storms: this.#storms,
    });
  }

  #poll(tryAgainAtUs: number): void {
    this.#timer = this.#clock.after(POLL_US, () => {
      if (this.#clock.nowUs() < tryAgainAtUs) {
        this.#poll(tryAgainAtUs);
        this.#actions.ask();
      } else {
        this.#timer = undefined;
        this.#unwanted = 0;
        this.#actions.unmask();
      }
    });
  }
}
