/**
 * The DMA side of one device: while a transfer is open, DMARQ is asserted, and the host adapter moves the bytes when it
 * is ready to, in as many parts as it likes (ATA/ATAPI-6 section 9.7).
 */
export class DmaPort {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #direction: 'in' | 'out' | 'closed' = 'closed';
  #done: () => void = () => {};

  /** Towards the host (`in`) or the device (`out`). */
  get direction(): 'in' | 'out' | 'closed' {
    return this.#direction;
  }

  /** Opens a transfer; `done` is called at its last byte. */
  open(direction: 'in' | 'out', bytes: Uint8Array, done: () => void): void {
    this.#direction = direction;
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
    this.#done = done;
  }

  /** Ends the transfer, whatever is left of it. */
  close(): void {
    this.#direction = 'closed';
  }

  /** The next bytes, at most so many: to be read, or to be filled. */
  next(atMostBytes: number): Uint8Array {
    return this.#bytes.subarray(this.#at, Math.min(this.#at + atMostBytes, this.#end));
  }

  /** So many of them were moved. */
  moved(lengthBytes: number): void {
    this.#at += lengthBytes;
    if (this.#at < this.#end) return;
    this.#direction = 'closed';
    this.#done();
  }
}
