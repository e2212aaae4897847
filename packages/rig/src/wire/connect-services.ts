import {
  type Clock,
  DeviceError,
  isDeviceError,
  type Logger,
  ServiceDirectory,
  SystemClock,
  type Timer,
} from '@ring3/core';
import { type FrameHandler, FrameSocket } from './frame-socket.ts';
import { inWords } from './listen-socket.ts';
import {
  type Bye,
  type HostHello,
  type HostMessage,
  type Offer,
  parseHostMessage,
  SERVICE_PROTOCOL_VERSION,
} from './messages.ts';
import { PendingCalls } from './pending-calls.ts';
import type { ServiceWire } from './service-wire.ts';
import { fromWireError } from './wire-error.ts';

/** What {@link connectServices} may be told. */
export interface ConnectOptions {
  /** How each class of services is carried; services of other classes do not appear. */
  readonly wires: readonly ServiceWire<unknown>[];
  readonly log: Logger;
  /**
   * Who connects. The same session again replaces its older connection, and calls that were made over that one are
   * done or dropped before this one begins. Give a fixed name where only one process may use the device (`front`).
   * Default: a name of its own.
   */
  readonly session?: string;
  /** How long the host may take to answer. Default 10 s. */
  readonly timeoutUs?: number;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** The services of another process. */
export interface ServiceConnection {
  readonly device: string;
  readonly generation: number;
  /** What the host offers, as proxies; when the connection ends all of them are withdrawn. */
  readonly services: ServiceDirectory;
  /** Resolves with the reason when the connection has ended, whoever ended it. */
  readonly closed: Promise<string>;
  /** The proxies that were withdrawn because the connection ended; all others were withdrawn by their driver. */
  readonly lost: ReadonlySet<unknown>;
  close(): void;
}

/**
 * Connects to the socket that {@link serveServices} of another process listens on; resolves when the host has said
 * what it offers, which is then in `services` already.
 * @throws DeviceError `not-found`, `permission`, `gone` when nobody serves there, `protocol` on another version,
 * `timeout` when the host says nothing.
 */
export function connectServices(path: string, options: ConnectOptions): Promise<ServiceConnection> {
  return new Connection(path, options).connected;
}

class Connection implements ServiceConnection, FrameHandler<HostMessage> {
  readonly connected: Promise<ServiceConnection>;
  readonly closed: Promise<string>;
  readonly services = new ServiceDirectory();
  device = '';
  generation = 0;
  readonly lost = new Set<unknown>();
  readonly #path: string;
  readonly #wires: ReadonlyMap<string, ServiceWire<unknown>>;
  readonly #log: Logger;
  readonly #deadline: Timer;
  readonly #frames: FrameSocket<HostMessage>;
  readonly #calls = new PendingCalls((message, payload) => this.#frames.send(message, payload));
  readonly #proxied = new Map<number, Proxied>();
  #accept: (connection: ServiceConnection) => void = () => {};
  #refuse: (error: Error) => void = () => {};
  #close: (reason: string) => void = () => {};

  constructor(
    path: string,
    { wires, log, session = crypto.randomUUID(), timeoutUs = 10_000_000, clock }: ConnectOptions,
  ) {
    this.#path = path;
    this.#wires = new Map(wires.map((wire) => [wire.serviceClass.name, wire]));
    this.#log = log;
    this.connected = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    this.#frames = FrameSocket.connect(path, this);
    this.#frames.send({ type: 'hello', version: SERVICE_PROTOCOL_VERSION, session });
    this.#deadline = (clock ?? new SystemClock()).after(timeoutUs, () => {
      this.#frames.destroy(new DeviceError('timeout', `${path}: the process that serves there said nothing`));
    });
  }

  close(): void {
    this.#frames.abort(new Error('closed by its user'));
  }

  parse(json: unknown): HostMessage {
    return parseHostMessage(json);
  }

  place(message: HostMessage, bytes: number): Uint8Array | undefined {
    return message.type === 'result' ? this.#calls.place(message.id, bytes) : undefined;
  }

  frame(message: HostMessage, payload: Uint8Array | undefined): void {
    if (message.type === 'result') this.#calls.done(message, payload);
    else if (message.type === 'error') this.#calls.failed(message);
    else if (message.type === 'published') this.#publish(message);
    else if (message.type === 'withdrawn') this.#gone(message.service, message.reason);
    else if (message.type === 'hello') this.#hello(message);
    else this.#frames.destroy(byeError(message));
  }

  ended(reason: NodeJS.ErrnoException): void {
    this.#deadline.cancel();
    this.#refuse(isDeviceError(reason) ? reason : inWords(reason, this.#path));
    this.#close(reason.message);
    this.#calls.lose(reason.message);
    for (const [service, { proxy }] of [...this.#proxied]) {
      this.lost.add(proxy);
      this.#gone(service, `the connection was lost: ${reason.message}`);
    }
  }

  #hello({ version, device, generation, services }: HostHello): void {
    if (version !== SERVICE_PROTOCOL_VERSION) {
      const words = `${this.#path}: the process there speaks version ${version} of the service protocol, this one ${SERVICE_PROTOCOL_VERSION}`;
      throw new DeviceError('protocol', `${words}: run the same ring3 on both sides`);
    }
    this.#deadline.cancel();
    this.device = device;
    this.generation = generation;
    for (const offer of services) this.#publish(offer);
    this.#accept(this);
  }

  #publish({ service, class: className, name, info }: Offer): void {
    const wire = this.#wires.get(className);
    if (wire === undefined) {
      this.#log.debug(`${this.device}: ${className} ${name} is not used here: its class has no wire`);
      return;
    }
    let refusal: DeviceError | undefined;
    const proxy = wire.proxy(
      info,
      this.#calls.caller(service, () => refusal),
    );
    const withdraw = this.services.publish(wire.serviceClass, name, proxy);
    this.#proxied.set(service, {
      proxy,
      withdraw: (reason) => {
        if (!this.lost.has(proxy)) refusal = new DeviceError('gone', reason);
        withdraw(reason);
      },
    });
  }

  #gone(service: number, reason: string): void {
    this.#proxied.get(service)?.withdraw(reason);
    this.#proxied.delete(service);
  }
}

interface Proxied {
  readonly proxy: unknown;
  withdraw(reason: string): void;
}

function byeError({ reason, code }: Bye): Error {
  return code === undefined ? new Error(reason) : fromWireError({ name: 'DeviceError', message: reason, code });
}
