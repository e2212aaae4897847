import { Buffer } from 'node:buffer';
import {
  checkSerialChange,
  ReceiveQueue,
  type SerialCallOptions,
  type SerialChange,
  type SerialPort,
  type SerialPortInfo,
  type SerialStatus,
} from '@ring3/core';
import { BehaviorSubject, type Observable } from 'rxjs';
import { statusSchema } from './serial-port-status.ts';
import type { Bulk, WireCaller } from './service-wire.ts';

/** Bytes that one call fetches at most; what an aborted read has fetched waits for the next one. */
const FETCH_BYTES = 16 * 1024;

/** A serial port of another process. Fetches only what somebody wants to read, so back-pressure reaches the device. */
export class RemoteSerialPort implements SerialPort {
  readonly info: SerialPortInfo;
  readonly #caller: WireCaller;
  readonly #status: BehaviorSubject<SerialStatus>;
  readonly #received = new ReceiveQueue(FETCH_BYTES);
  #fetching = false;
  #failure: unknown;

  constructor(info: SerialPortInfo, status: SerialStatus, caller: WireCaller) {
    this.info = info;
    this.#caller = caller;
    this.#status = new BehaviorSubject(status);
    void this.#followStatus();
  }

  get status$(): Observable<SerialStatus> {
    return this.#status.asObservable();
  }

  read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    if (this.#failure !== undefined && this.#received.length === 0) return Promise.reject(this.#failure);
    const reading = this.#received.read(into, options);
    this.#fetch(into.length);
    return reading;
  }

  write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    return this.#abortable('write', options, { from });
  }

  drain(options?: SerialCallOptions): Promise<void> {
    return this.#abortable('drain', options);
  }

  async set(change: SerialChange): Promise<void> {
    checkSerialChange(change);
    this.#tell(await this.#caller.call('set', { change }));
  }

  #fetch(bytes: number): void {
    if (this.#fetching || !this.#received.awaited) return;
    this.#fetching = true;
    this.#caller
      .call('read', { bytes: Math.min(Math.max(bytes, 1), FETCH_BYTES) })
      .then((value) => this.#take(value))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#fetching = false;
        this.#fetch(bytes);
      });
  }

  #take(value: unknown): void {
    const { data, errors } = value as { readonly data: string; readonly errors: SerialStatus['errors'] };
    const { value: now } = this.#status;
    if (JSON.stringify(errors) !== JSON.stringify(now.errors)) this.#tell({ ...now, errors });
    for (const byte of Buffer.from(data, 'base64')) this.#received.push(byte);
    this.#received.deliver();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#received.end(error instanceof Error ? error : new Error(String(error)));
  }

  async #followStatus(): Promise<void> {
    try {
      for (;;) this.#tell(await this.#caller.call('status', { seen: this.#status.value }));
    } catch {
      this.#status.complete();
    }
  }

  #tell(status: unknown): void {
    this.#status.next(statusSchema.parse(status));
  }

  /** The other process is told of an abort; the call ends when it has answered, and the buffer is free only then. */
  async #abortable(method: string, { signal }: SerialCallOptions = {}, bulk: Bulk = {}): Promise<void> {
    if (signal === undefined) {
      await this.#caller.call(method, {}, bulk);
      return;
    }
    signal.throwIfAborted();
    const token = crypto.randomUUID();
    const abort = () => void this.#caller.call('abort', { token }).catch(() => {});
    signal.addEventListener('abort', abort, { once: true });
    try {
      await this.#caller.call(method, { token }, bulk);
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
