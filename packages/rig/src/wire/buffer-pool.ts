/** Smaller buffers are not worth keeping. */
const SMALLEST_BYTES = 4096;

/**
 * Buffers that are used again and again: fresh memory of this length comes from the system page by page, which costs
 * more than filling it. Plain `Uint8Array`s, whose `slice()` copies.
 */
export class BufferPool {
  readonly #limitBytes: number;
  readonly #free = new Map<number, ArrayBuffer[]>();
  #freeBytes = 0;

  /** @param limitBytes how much unused memory is kept at most. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** A buffer of this length: zeros, or what it held before. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const capacity = capacityFor(bytes);
    const buffer = this.#free.get(capacity)?.pop();
    if (buffer === undefined) return new Uint8Array(new ArrayBuffer(capacity), 0, bytes);
    this.#freeBytes -= capacity;
    return new Uint8Array(buffer, 0, bytes);
  }

  /** Gives back what {@link take} gave; nobody may use it any more. */
  give({ buffer }: Uint8Array<ArrayBuffer>): void {
    const capacity = buffer.byteLength;
    if (capacity < SMALLEST_BYTES || capacity > this.#limitBytes) return;
    if (this.#freeBytes + capacity > this.#limitBytes) this.#empty(); // What fills it is of lengths that nobody takes.
    const free = this.#free.get(capacity);
    if (free === undefined) this.#free.set(capacity, [buffer]);
    else free.push(buffer);
    this.#freeBytes += capacity;
  }

  #empty(): void {
    this.#free.clear();
    this.#freeBytes = 0;
  }
}

/** At most an eighth longer, so that buffers of similar length replace each other. */
function capacityFor(bytes: number): number {
  if (bytes < SMALLEST_BYTES) return bytes;
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
