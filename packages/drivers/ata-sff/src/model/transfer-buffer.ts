/** Memory between the medium and the data register: one per device, as large as the largest need so far. */
export class TransferBuffer {
  #bytes = new Uint8Array(0);

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The buffer, with at least that many bytes; its content is undefined. */
  ensure(lengthBytes: number): Uint8Array {
    if (this.#bytes.length < lengthBytes) this.#bytes = new Uint8Array(lengthBytes);
    return this.#bytes;
  }
}
