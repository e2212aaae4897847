/** How long a device host must have served for its death to count as the first one. */
const STABLE_MS = 1000;
const FIRST_PAUSE_MS = 50;
/** A host that served and died has clients waiting. */
const MOST_AFTER_SERVING_MS = 500;
/** A host that cannot even start is a matter for a person. */
const MOST_MS = 30_000;

/** When to start a crashed process again: quickly at first, then ever more slowly, with jitter. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Deaths in a row. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Counts a death.
   * @param servedMs how long the process had served; `undefined` when it never got so far.
   * @returns the pause before the next start, in milliseconds.
   */
  nextMs(servedMs: number | undefined): number {
    if (servedMs !== undefined && servedMs >= STABLE_MS) this.#failures = 0;
    const most = servedMs === undefined ? MOST_MS : MOST_AFTER_SERVING_MS;
    const whole = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, most);
    this.#failures++;
    return whole * (0.75 + 0.25 * this.#random());
  }
}
