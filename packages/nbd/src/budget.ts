/**
 * What the requests of one client may hold at a time. A request that does not fit waits, and with it the reading of the
 * socket, so at most one waits. A single request always fits into an empty budget.
 */
export class Budget {
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  #requests = 0;
  #bytes = 0;
  #waiting: { readonly bytes: number; readonly resume: () => void } | undefined;

  constructor(maxRequests: number, maxBytes: number) {
    this.#maxRequests = maxRequests;
    this.#maxBytes = maxBytes;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes `bytes` for one more request and calls `admitted`: now, or when there is room. */
  take(bytes: number, admitted: () => void): void {
    if (!this.#fits(bytes)) {
      this.#waiting = { bytes, resume: admitted };
      return;
    }
    this.#requests += 1;
    this.#bytes += bytes;
    admitted();
  }

  /** Gives back what one request had taken. */
  give(bytes: number): void {
    this.#requests -= 1;
    this.#bytes -= bytes;
    const waiting = this.#waiting;
    if (waiting === undefined || !this.#fits(waiting.bytes)) return;
    this.#waiting = undefined;
    this.take(waiting.bytes, waiting.resume);
  }

  #fits(bytes: number): boolean {
    return this.#requests === 0 || (this.#requests < this.#maxRequests && this.#bytes + bytes <= this.#maxBytes);
  }
}
