import {
  checkSerialChange,
  DeviceError,
  type SerialCallOptions,
  type SerialChange,
  type SerialPort,
  type SerialPortInfo,
  type SerialStatus,
} from '@ring3/core';
import type { Observable } from 'rxjs';
import type { Engine, PortEnvironment } from './engine.ts';
import { divisorFor, lineControl } from './line-format.ts';
import type { UartOptions } from './options.ts';

/** What a port counts beside the errors on the line. */
export interface PortStatistics {
  readonly received: number;
  readonly sent: number;
  readonly interrupts: number;
  /** Interrupts that did not come although there was something to do. */
  readonly lostInterrupts: number;
  readonly stuckTransmitters: number;
}

/** The serial port as its users see it. */
export class UartPort implements SerialPort {
  readonly info: SerialPortInfo;
  readonly #environment: PortEnvironment;
  readonly #engine: Engine;
  readonly #options: UartOptions;
  #changing: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(environment: PortEnvironment, engine: Engine, options: UartOptions) {
    this.#environment = environment;
    this.#engine = engine;
    this.#options = options;
    const { model, depth } = engine.kind;
    this.info = { model, fifoBytes: depth, simulated: environment.simulated };
  }

  get status$(): Observable<SerialStatus> {
    return this.#engine.status.changes$;
  }

  get statistics(): PortStatistics {
    const { receivedCharacters, transmitter, counts } = this.#engine;
    return { received: receivedCharacters, sent: transmitter.characters, ...counts };
  }

  read(into: Uint8Array, options?: SerialCallOptions): Promise<number> {
    const reading = this.#engine.received.read(into, options);
    this.#engine.noteWaiting();
    return reading;
  }

  write(from: Uint8Array, options?: SerialCallOptions): Promise<void> {
    if (this.#stopping) return Promise.reject(this.#closedError());
    const { queue } = this.#engine.transmitter;
    const wasIdle = queue.idle;
    const writing = queue.write(from, options);
    if (wasIdle && !queue.idle) this.#engine.kick();
    return writing;
  }

  async drain(options?: SerialCallOptions): Promise<void> {
    if (this.#stopping) throw this.#closedError();
    await this.#engine.transmitter.queue.passed(options);
    await this.#engine.untilEmpty();
    if (this.#engine.ended !== undefined) throw this.#engine.ended;
  }

  async set(change: SerialChange): Promise<void> {
    checkSerialChange(change);
    if (this.#stopping || this.#engine.ended !== undefined) throw this.#closedError();
    const turn = this.#changing.then(() => this.#apply(change));
    this.#changing = turn.catch(() => {});
    await turn;
  }

  /** Takes no more writes, lets what was written leave in bounded time, and makes the chip quiet. */
  async stop(): Promise<void> {
    const { clock, log, name } = this.#environment;
    const { transmitter, ended } = this.#engine;
    this.#stopping = true;
    if (ended !== undefined) return;
    const passed = transmitter.queue.passed().then(() => this.#engine.untilEmpty());
    await new Promise<void>((resolve) => {
      const late = clock.after(this.#options.drainSeconds * 1e6, resolve);
      const done = () => {
        late.cancel();
        resolve();
      };
      passed.then(done, done);
    });
    if (!transmitter.queue.idle) log.warn(`${name}: what was not sent in ${this.#options.drainSeconds} s is dropped`);
    this.#engine.end('closed', `${name}: the driver was stopped`);
    this.#engine.silence();
  }

  async #apply({ dtr, rts, break: breaking, ...part }: SerialChange): Promise<void> {
    const { status, flow, transmitter } = this.#engine;
    const { settings: before, outputs } = status.now;
    const settings = { ...before, ...part };
    const line = breaking ?? outputs.break;
    lineControl(settings);
    divisorFor(this.#options.clockRate, settings.baudRate);
    flow.setOutputs({ ...(dtr !== undefined && { dtr }), ...(rts !== undefined && { rts }) });
    if (Object.keys(part).length > 0 || line !== outputs.break) {
      transmitter.hold('settings', true);
      try {
        await this.#engine.untilEmpty();
        if (this.#engine.ended !== undefined) throw this.#engine.ended;
        this.#engine.configure(settings, line);
      } finally {
        transmitter.hold('settings', false);
      }
    }
    flow.update();
    this.#engine.kick();
  }

  #closedError(): DeviceError {
    return this.#engine.ended ?? new DeviceError('closed', `${this.#environment.name}: the driver stops`);
  }
}
