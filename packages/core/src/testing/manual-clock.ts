import { setImmediate } from 'node:timers';
import type { Clock, Timer } from '../clock.ts';

interface Due {
  readonly atUs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test steps it: hours of a device cost nothing, and nothing depends on the machine. */
export class ManualClock implements Clock {
  #nowUs = 0;
  readonly #due = new Set<Due>();

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayUs: number, callback: () => void): Timer {
    const due: Due = { atUs: this.#nowUs + Math.max(0, delayUs), callback };
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }

  /** Time passes; what becomes due by it is called by the next step, as on a busy processor. */
  spinNs(ns: number): void {
    this.#nowUs += ns / 1000;
  }

  /** How many timers are waiting. */
  get scheduled(): number {
    return this.#due.size;
  }

  /** Steps from timer to timer until `durationUs` have passed; promises are given their turn at every step. */
  async advance(durationUs: number): Promise<void> {
    const endUs = this.#nowUs + durationUs;
    await turn();
    for (let next = this.#next(); next !== undefined && next.atUs <= endUs; next = this.#next()) {
      this.#call(next);
      await turn();
    }
    this.#nowUs = Math.max(this.#nowUs, endUs);
  }

  /**
   * Steps from timer to timer until `promise` settles, and returns what it does.
   * @throws Error that nothing is scheduled, when no timer is left that could settle it.
   */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await turn();
      if (settled) return promise;
      const next = this.#next();
      if (next === undefined)
        throw new Error(`nothing is scheduled at ${this.#nowUs} us, so this promise never settles`);
      this.#call(next);
    }
  }

  /** The earliest timer; of several at one time, the one that was started first. */
  #next(): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due) if (first === undefined || due.atUs < first.atUs) first = due;
    return first;
  }

  #call(due: Due): void {
    this.#due.delete(due);
    this.#nowUs = Math.max(this.#nowUs, due.atUs);
    due.callback();
  }
}

/** Lets every promise that can go on do so: the event loop turns once. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
