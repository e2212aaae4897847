/** When to start a crashed process again: quickly at first, then ever more slowly, with jitter. */
export class Backoff {
  readonly #firstMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #failures = 0;

  constructor(firstMs = 50, maxMs = 30_000, random: () => number = Math.random) {
    this.#firstMs = firstMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure. @returns the pause before the next start, in milliseconds. */
  nextMs(): number {
    const whole = Math.min(this.#firstMs * 2 ** this.#failures, this.#maxMs);
    this.#failures++;
    return whole * (0.75 + 0.25 * this.#random());
  }

  /** The process served long enough to be trusted again. */
  reset(): void {
    this.#failures = 0;
  }
}
