import {
  checkSerialChange,
  DeviceError,
  type Logger,
  type SerialCallOptions,
  type SerialChange,
  type SerialErrors,
  type SerialPort,
  type SerialPortInfo,
  type SerialStatus,
} from '@ring3/core';
import { BehaviorSubject, type Observable, type Subscription } from 'rxjs';
import { currentStatus } from './serial-port-status.ts';
import { ConnectionLostError } from './wire-error.ts';

interface Link {
  readonly port: SerialPort;
  readonly following: Subscription;
  /** Settings that users have made are in force. */
  ready: boolean;
}

interface Waiter {
  resolve(port: SerialPort): void;
  reject(reason: unknown): void;
}

const NO_INPUTS = { cts: false, dsr: false, dcd: false, ri: false } as const;

/**
 * A serial port that stays the same object for its users while the process behind it dies and comes back.
 *
 * 1. A read waits for the next life of the driver. What the device or the driver had received and nobody had read is
 *    lost; nobody knows how much, so `errors.interruptions` counts the outage.
 * 2. A write that was under way fails with `gone`: nobody knows how much of it was sent, so it is not repeated. A write
 *    that begins during an outage waits: that is the back-pressure.
 * 3. Settings, DTR and RTS that users have set are set again before anything else is done. A break has ended.
 * 4. Counts of errors go on; modem lines are off while the driver is away.
 */
export class ReconnectingSerialPort implements SerialPort {
  readonly info: SerialPortInfo;
  /** Resolves with the reason when the port is gone for good. */
  readonly withdrawn: Promise<string>;
  readonly #name: string;
  readonly #log: Logger;
  readonly #status: BehaviorSubject<SerialStatus>;
  #wanted: SerialChange = {};
  /** The errors of the lives before this one. */
  #errorsBefore: SerialErrors | undefined;
  #link: Link | undefined;
  #waiting: Waiter[] = [];
  #ended: DeviceError | undefined;
  #resolveWithdrawn: (reason: string) => void = () => {};

  constructor(port: SerialPort, { name, log }: { readonly name: string; readonly log: Logger }) {
    this.info = port.info;
    this.#name = name;
    this.#log = log;
    this.#status = new BehaviorSubject(currentStatus(port));
    this.withdrawn = new Promise((resolve) => {
      this.#resolveWithdrawn = resolve;
    });
  }

  get status$(): Observable<SerialStatus> {
    return this.#status.asObservable();
  }

  /** Whether the driver is there. */
  get connected(): boolean {
    return this.#link?.ready === true;
  }

  /** The device host is there (again). */
  async connect(port: SerialPort): Promise<void> {
    if (this.#ended !== undefined) return;
    this.disconnect('another connection took its place');
    const link: Link = {
      port,
      following: port.status$.subscribe((status) => this.#follow(port, status)),
      ready: false,
    };
    this.#link = link;
    if (Object.keys(this.#wanted).length > 0) {
      await port.set(this.#wanted).catch((error: unknown) => {
        this.#log.error(`${this.#name}: the settings of before could not be made again: ${String(error)}`);
      });
    }
    if (this.#link !== link) return;
    link.ready = true;
    this.#follow(port, currentStatus(port));
    for (const { resolve } of this.#waiting.splice(0)) resolve(port);
  }

  /** The device host is away. @param port only this one, if given: nothing happens when another is connected by now. */
  disconnect(reason: string, port?: SerialPort): void {
    const link = this.#link;
    if (link === undefined || (port !== undefined && port !== link.port)) return;
    this.#link = undefined;
    link.following.unsubscribe();
    this.#log.warn(`${this.#name}: its driver is away: ${reason}: what was under way on the line may be lost`);
    const { errors, ...status } = this.#status.value;
    this.#errorsBefore = { ...errors, interruptions: errors.interruptions + 1 };
    this.#status.next({ ...status, inputs: NO_INPUTS, errors: this.#errorsBefore });
  }

  /** The port is gone for good: its driver withdrew it. */
  withdraw(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError('gone', reason);
    this.#link?.following.unsubscribe();
    this.#link = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    this.#status.complete();
    this.#resolveWithdrawn(reason);
  }

  async read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    for (;;) {
      const port = await this.#connected(options);
      try {
        return await port.read(into, options);
      } catch (error) {
        if (options?.signal?.aborted === true || !this.#isLost(port, error)) throw error;
      }
    }
  }

  async write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    const port = await this.#connected(options);
    await port.write(from, options).catch((error: unknown) => {
      if (options?.signal?.aborted === true || !this.#isLost(port, error)) throw error;
      const words = `${this.#name}: the driver went away during a write: nobody knows how many of ${from.length} bytes were sent`;
      throw new DeviceError('gone', words, { cause: error, details: { bytes: from.length } });
    });
  }

  async drain(options?: SerialCallOptions): Promise<void> {
    const port = await this.#connected(options);
    await port.drain(options);
  }

  async set(change: SerialChange): Promise<void> {
    checkSerialChange(change);
    for (;;) {
      const port = await this.#connected();
      try {
        await port.set(change);
        const { break: _break, ...lasting } = change;
        this.#wanted = { ...this.#wanted, ...lasting };
        return;
      } catch (error) {
        if (!this.#isLost(port, error)) throw error;
      }
    }
  }

  async #connected({ signal }: SerialCallOptions = {}): Promise<SerialPort> {
    signal?.throwIfAborted();
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#link?.ready === true) return this.#link.port;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal?.reason);
      };
      const forget = () => signal?.removeEventListener('abort', abort);
      const waiter: Waiter = {
        resolve: (port) => {
          forget();
          resolve(port);
        },
        reject: (reason) => {
          forget();
          reject(reason);
        },
      };
      this.#waiting.push(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Whether the call failed because its connection did. The proxy knows before the one who watches the connection. */
  #isLost(port: SerialPort, error: unknown): boolean {
    if (this.#ended !== undefined) return false;
    if (error instanceof ConnectionLostError) this.disconnect(error.message, port);
    return this.#link?.port !== port;
  }

  #follow(port: SerialPort, status: SerialStatus): void {
    if (this.#link !== undefined && this.#link.port !== port) return;
    const before = this.#errorsBefore;
    if (before === undefined) this.#status.next(status);
    else this.#status.next({ ...status, errors: sum(before, status.errors) });
  }
}

function sum(a: SerialErrors, b: SerialErrors): SerialErrors {
  const keys = Object.keys(a) as (keyof SerialErrors)[];
  return Object.fromEntries(keys.map((key) => [key, a[key] + b[key]])) as unknown as SerialErrors;
}
