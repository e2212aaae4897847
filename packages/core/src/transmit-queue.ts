import { DeviceError, type DeviceErrorCode } from './device-error.ts';
import type { SerialCallOptions } from './serial-port.ts';

interface Write {
  readonly from: Uint8Array;
  at: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
  readonly forget: () => void;
}

const NOTHING = new Uint8Array(0);

/**
 * Writes that wait for a device, in order, without copies: the buffers of the callers are the queue. The sending half of
 * a `SerialPort`.
 */
export class TransmitQueue {
  #writes: Write[] = [];
  #ended: { readonly code: DeviceErrorCode; readonly message: string } | undefined;

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#writes.length === 0;
  }

  /** `SerialPort.write`. */
  write(from: Uint8Array, { signal }: SerialCallOptions = {}): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(failure(this.#ended, 0));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (from.length === 0 && this.idle) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#writes = this.#writes.filter((other) => other !== write);
        reject(signal?.reason);
        this.#settleEmpty();
      };
      const forget = () => signal?.removeEventListener('abort', abort);
      const write = { from, at: 0, resolve, reject, forget };
      this.#writes.push(write);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The next bytes in one piece, at most `limit`; empty when nothing waits. They stay until {@link taken}. */
  next(limit: number): Uint8Array {
    const write = this.#writes[0];
    return write === undefined ? NOTHING : write.from.subarray(write.at, write.at + limit);
  }

  /** The device has taken so many bytes of what {@link next} gave. */
  taken(bytes: number): void {
    const write = this.#writes[0];
    if (write !== undefined) write.at += bytes;
    this.#settleEmpty();
  }

  /** Resolves when everything that waits now has been taken. */
  passed(options?: SerialCallOptions): Promise<void> {
    return this.write(NOTHING, options);
  }

  /** Fails what waits; each error says in `details.written` how much of its write the device has taken. */
  fail(code: DeviceErrorCode, message: string): void {
    for (const { at, forget, reject } of this.#writes.splice(0)) {
      forget();
      reject(failure({ code, message }, at));
    }
  }

  /** Fails what waits and what comes. */
  end(code: DeviceErrorCode, message: string): void {
    this.#ended ??= { code, message };
    this.fail(this.#ended.code, this.#ended.message);
  }

  /** Writes of which nothing is left are done. */
  #settleEmpty(): void {
    for (let write = this.#writes[0]; write !== undefined && write.at >= write.from.length; write = this.#writes[0]) {
      this.#writes.shift();
      write.forget();
      write.resolve();
    }
  }
}

function failure({ code, message }: { code: DeviceErrorCode; message: string }, written: number): DeviceError {
  return new DeviceError(code, message, { details: { written } });
}
