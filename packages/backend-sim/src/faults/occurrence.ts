import type { Occurrence } from './plan.ts';

/** Decides which of the fitting events a rule hits. */
export class OccurrenceCounter {
  readonly #occurrence: Occurrence;
  readonly #random: () => number;
  #seen = 0;

  constructor(occurrence: Occurrence, random: () => number) {
    this.#occurrence = occurrence;
    this.#random = random;
  }

  /** Counts one event. @returns whether it is hit. */
  next(): boolean {
    this.#seen++;
    const { nth, every, probability } = this.#occurrence;
    if (nth !== undefined) return this.#seen === nth;
    if (every !== undefined) return this.#seen % every === 0;
    return probability === undefined || this.#random() < probability;
  }

  /** How many events it has counted. */
  get seen(): number {
    return this.#seen;
  }
}
