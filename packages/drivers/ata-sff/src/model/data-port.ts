import { SECTOR_BYTES } from './ata-registers.ts';

/** What a data register without data gives: nothing that could be taken for data. */
const NO_DATA = 0xff;

/**
 * The Data register of one device while it asks for a DRQ data block: 16-bit words, the low byte first
 * (ATA/ATAPI-6 section 7.6). Knows bytes only; what a block means is the business of the command.
 */
export class DataPort {
  #bytes: Uint8Array = new Uint8Array(SECTOR_BYTES);
  #at = 0;
  #end = 0;
  #direction: 'in' | 'out' | 'closed' = 'closed';
  #done: () => void = () => {};

  /** A block is open: the device has DRQ set for its sake. */
  get direction(): 'in' | 'out' | 'closed' {
    return this.#direction;
  }

  /** Opens a block for the host to read (`in`) or to write (`out`); `done` is called at its last byte. */
  open(direction: 'in' | 'out', bytes: Uint8Array, start: number, lengthBytes: number, done: () => void): void {
    this.#direction = direction;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = start + lengthBytes;
    this.#done = done;
  }

  /** Ends the block, whatever is left of it. */
  close(): void {
    this.#direction = 'closed';
  }

  /** One access of the host; a word too many reads all ones. */
  read(byteCount: number): number {
    let value = 0;
    for (let byte = 0; byte < byteCount; byte++) {
      value |= (this.#direction === 'in' ? (this.#bytes[this.#at++] ?? NO_DATA) : NO_DATA) << (8 * byte);
      if (this.#direction === 'in' && this.#at === this.#end) this.#finish();
    }
    return value >>> 0;
  }

  /** One access of the host; a word too many is lost. */
  write(byteCount: number, value: number): void {
    for (let byte = 0; byte < byteCount && this.#direction === 'out'; byte++) {
      this.#bytes[this.#at++] = (value >>> (8 * byte)) & 0xff;
      if (this.#at === this.#end) this.#finish();
    }
  }

  /** The same as single reads, by one copy. */
  readInto(into: Uint8Array): void {
    const count = this.#direction === 'in' ? Math.min(into.length, this.#end - this.#at) : 0;
    into.set(this.#bytes.subarray(this.#at, this.#at + count));
    if (count < into.length) into.fill(NO_DATA, count);
    this.#moved(count);
  }

  /** The same as single writes, by one copy. */
  writeFrom(from: Uint8Array): void {
    const count = this.#direction === 'out' ? Math.min(from.length, this.#end - this.#at) : 0;
    this.#bytes.set(count === from.length ? from : from.subarray(0, count), this.#at);
    this.#moved(count);
  }

  #moved(count: number): void {
    this.#at += count;
    if (count > 0 && this.#at === this.#end) this.#finish();
  }

  #finish(): void {
    this.#direction = 'closed';
    this.#done();
  }
}
