import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ReceiveQueue, type SerialPort, type SerialStatus } from '@ring3/core';
import { type Watch, watchReadable } from '@ring3/linux';
import { NEVER, type Observable } from 'rxjs';

/** The other end of a cable as a character device: bytes only, no settings, no modem lines. */
export class CableEnd implements SerialPort {
  readonly info = { model: 'cable end', fifoBytes: 1, simulated: true };
  readonly status$: Observable<SerialStatus> = NEVER;
  readonly #fd: number;
  readonly #received = new ReceiveQueue(1024 * 1024);
  readonly #watch: Watch;
  #writing: Promise<void> = Promise.resolve();

  /** @param end the path of a character device, or one that is open and non-blocking. */
  constructor(end: string | number) {
    this.#fd = typeof end === 'number' ? end : openSync(end, constants.O_RDWR | constants.O_NONBLOCK);
    const buffer = new Uint8Array(4096);
    this.#watch = watchReadable(this.#fd, () => {
      const count = this.#try(() => readSync(this.#fd, buffer));
      for (const byte of buffer.subarray(0, count)) this.#received.push(byte);
      this.#received.deliver();
    });
  }

  read(into: Uint8Array): Promise<number> {
    return this.#received.read(into);
  }

  /** One write after the other, in the order of the calls. */
  write(from: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      for (let at = 0; at < from.length; ) {
        const taken = this.#try(() => writeSync(this.#fd, from, at));
        at += taken;
        if (taken === 0) await delay(1);
      }
    });
    return this.#writing;
  }

  drain(): Promise<void> {
    return this.#writing;
  }

  async set(): Promise<void> {
    throw new Error('the end of this cable has no settings');
  }

  /** Forgets what nobody has read. */
  async forget(): Promise<void> {
    while (this.#received.length > 0) await this.#received.read(new Uint8Array(4096));
  }

  close(): void {
    this.#watch.close();
    closeSync(this.#fd);
  }

  #try(call: () => number): number {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
      throw error;
    }
  }
}
