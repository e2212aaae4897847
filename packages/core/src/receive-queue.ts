import type { SerialCallOptions } from './serial-port.ts';

interface Reader {
  readonly into: Uint8Array;
  readonly resolve: (bytes: number) => void;
  readonly reject: (reason: unknown) => void;
  readonly forget: () => void;
}

/**
 * Received bytes between an interrupt handler and those who read: bounded, in order. The receiving half of a
 * `SerialPort`.
 */
export class ReceiveQueue {
  readonly #ring: Uint8Array;
  readonly #taken: () => void;
  #first = 0;
  #length = 0;
  #readers: Reader[] = [];
  #ended: Error | undefined;

  /** @param taken is called when a reader has taken bytes: time to let the other end send again. */
  constructor(capacityBytes: number, taken: () => void = () => {}) {
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 1) {
      throw new RangeError(`a receive queue of ${capacityBytes} bytes: give a whole number from 1 on`);
    }
    this.#ring = new Uint8Array(capacityBytes);
    this.#taken = taken;
  }

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  get capacityBytes(): number {
    return this.#ring.length;
  }

  /** Whether somebody waits for bytes. */
  get awaited(): boolean {
    return this.#readers.length > 0;
  }

  /** Puts one byte in; it is handed out by {@link deliver}. @returns false when there was no room. */
  push(byte: number): boolean {
    if (this.#length === this.#ring.length) return false;
    this.#ring[(this.#first + this.#length) % this.#ring.length] = byte;
    this.#length++;
    return true;
  }

  /** Hands out what has come to those who wait. */
  deliver(): void {
    while (this.#length > 0) {
      const reader = this.#readers.shift();
      if (reader === undefined) return;
      reader.forget();
      reader.resolve(this.#take(reader.into));
    }
  }

  /** `SerialPort.read`. */
  read(into: Uint8Array, { signal }: SerialCallOptions = {}): Promise<number> {
    if (into.length === 0) return Promise.reject(new RangeError('a read needs room for at least one byte'));
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#length > 0 && this.#readers.length === 0) return Promise.resolve(this.#take(into));
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#readers = this.#readers.filter((other) => other !== reader);
        reject(signal?.reason);
      };
      const reader = { into, resolve, reject, forget: () => signal?.removeEventListener('abort', abort) };
      this.#readers.push(reader);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Fails those who wait and those who come. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const { forget, reject } of this.#readers.splice(0)) {
      forget();
      reject(this.#ended);
    }
  }

  #take(into: Uint8Array): number {
    const bytes = Math.min(into.length, this.#length);
    const straight = Math.min(bytes, this.#ring.length - this.#first);
    into.set(this.#ring.subarray(this.#first, this.#first + straight));
    into.set(this.#ring.subarray(0, bytes - straight), straight);
    this.#first = (this.#first + bytes) % this.#ring.length;
    this.#length -= bytes;
    this.#taken();
    return bytes;
  }
}
