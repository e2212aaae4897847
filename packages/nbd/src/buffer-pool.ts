/** Room before the data for the header of a reply; a multiple of 8, so that the data stays aligned. */
const HEADROOM_BYTES = 32;
const SMALLEST_BYTES = 4096;
const LARGEST_KEPT_BYTES = 2 ** 20;

/** A buffer that was lent by a {@link BufferPool}. */
export class PooledBuffer {
  readonly capacityBytes: number;
  readonly #whole: Buffer;
  #data: Uint8Array;
  /** The last one, since views are costly and the next one is mostly the same. */
  #message: Buffer | undefined;

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
    this.#whole = Buffer.allocUnsafeSlow(HEADROOM_BYTES + capacityBytes);
    this.#data = this.#view(capacityBytes);
  }

  /** The bytes that were asked for. Not a Buffer, whose slice() does not copy: drivers know Uint8Array. */
  get data(): Uint8Array {
    return this.#data;
  }

  /** The data together with `headerBytes` of room directly before it: one message without a copy. */
  message(headerBytes: number): Buffer {
    if (this.#message?.length !== headerBytes + this.#data.length) {
      this.#message = this.#whole.subarray(HEADROOM_BYTES - headerBytes, HEADROOM_BYTES + this.#data.length);
    }
    return this.#message;
  }

  /** For the pool only. */
  resize(lengthBytes: number): void {
    if (lengthBytes !== this.#data.length) this.#data = this.#view(lengthBytes);
  }

  #view(lengthBytes: number): Uint8Array {
    const { buffer, byteOffset } = this.#whole;
    return new Uint8Array(buffer, byteOffset + HEADROOM_BYTES, lengthBytes);
  }
}

/**
 * Buffers that are used again: in a fresh one every page costs a fault. Their sizes are powers of two up to 1 MiB;
 * larger ones are never kept. What is kept idle is bounded here, what is lent is bounded by the budget of each client.
 */
export class BufferPool {
  readonly #maxIdleBytes: number;
  readonly #idle = new Map<number, PooledBuffer[]>();
  #idleBytes = 0;

  constructor(maxIdleBytes: number) {
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** The memory that waits to be used again. */
  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Lends a buffer; it still has the content of its last use. */
  take(lengthBytes: number): PooledBuffer {
    const capacity = capacityBytes(lengthBytes);
    const kept = this.#idle.get(capacity)?.pop();
    if (kept !== undefined) this.#idleBytes -= capacity;
    const buffer = kept ?? new PooledBuffer(capacity);
    buffer.resize(lengthBytes);
    return buffer;
  }

  /**
   * Takes a buffer back that nobody reads or writes any more. A buffer of a device call that failed is not given back:
   * a device that failed may still be writing to it.
   */
  give(buffer: PooledBuffer): void {
    const { capacityBytes: capacity } = buffer;
    if (capacity > LARGEST_KEPT_BYTES || this.#idleBytes + capacity > this.#maxIdleBytes) return;
    const kept = this.#idle.get(capacity);
    if (kept === undefined) this.#idle.set(capacity, [buffer]);
    else kept.push(buffer);
    this.#idleBytes += capacity;
  }
}

/** The memory that a buffer of `lengthBytes` takes: the next power of two up to 1 MiB, above that the length itself. */
export function capacityBytes(lengthBytes: number): number {
  if (lengthBytes > LARGEST_KEPT_BYTES) return lengthBytes;
  let capacity = SMALLEST_BYTES;
  while (capacity < lengthBytes) capacity *= 2;
  return capacity;
}
