/** How long a failure is remembered, and how many are too many. */
const REMEMBERED_US = 600_000_000;
const LIMIT = 3;

/** The last failures of DMA on a disk; when they come too fast, programmed I/O has to do. Nothing is retuned. */
export class DmaHistory {
  readonly #timesUs: number[] = [];

  /** Remembers a failure. @returns whether it was the third within ten minutes. */
  note(nowUs: number): boolean {
    this.#timesUs.push(nowUs);
    while ((this.#timesUs[0] ?? nowUs) < nowUs - REMEMBERED_US) this.#timesUs.shift();
    return this.#timesUs.length >= LIMIT;
  }
}
