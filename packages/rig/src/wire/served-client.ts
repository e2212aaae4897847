import type { Socket } from 'node:net';
import { DeviceError } from '@ring3/core';
import type { BufferPool } from './buffer-pool.ts';
import { MAX_PAYLOAD_BYTES } from './frame-reader.ts';
import { type FrameHandler, FrameSocket } from './frame-socket.ts';
import { type Call, type ClientHello, type ClientMessage, type Offer, parseClientMessage } from './messages.ts';
import type { Departure, OfferedServices } from './offered-services.ts';
import { toWireError } from './wire-error.ts';

/** Of one client: more bytes or calls than this are not taken up at a time. One call may be larger, alone. */
const MAX_BYTES_IN_FLIGHT = 32 * 1024 * 1024;
const MAX_CALLS_IN_FLIGHT = 1024;

/** What the server does for one of its clients. */
export interface ClientHost {
  readonly offered: OfferedServices;
  /** For payloads, shared by all clients. */
  readonly pool: BufferPool;
  /** Lets the client in, or throws what is told to it. Answers its hello when it may begin. */
  hello(client: ServedClient, hello: ClientHello): void;
  gone(client: ServedClient, reason: string): void;
}

interface ReceivedCall {
  readonly call: Call;
  readonly from: Payload | undefined;
}

type Payload = Uint8Array<ArrayBuffer>;

/** One client of the server: its calls, within bounds; whatever it does wrong ends only its own connection. */
export class ServedClient implements FrameHandler<ClientMessage> {
  readonly #host: ClientHost;
  readonly #frames: FrameSocket<ClientMessage>;
  readonly #calls = new Map<number, Call>();
  readonly #waiting: ReceivedCall[] = [];
  readonly #gone = new AbortController();
  #bytes = 0;
  #working = 0; // Calls that the services have not settled, answered or not.
  #idle: (() => void)[] = [];
  #admitted = false;

  constructor(socket: Socket, host: ClientHost) {
    this.#host = host;
    this.#frames = FrameSocket.accept(socket, this);
  }

  parse(json: unknown): ClientMessage {
    return parseClientMessage(json);
  }

  place({ type }: ClientMessage, bytes: number): Payload | undefined {
    return type === 'call' && this.#admitted ? this.#host.pool.take(bytes) : undefined;
  }

  frame(message: ClientMessage, from: Payload | undefined): void {
    if (message.type === 'bye') this.#frames.destroy(new Error(message.reason));
    else if (message.type === 'hello') this.#host.hello(this, message);
    else if (this.#admitted) this.#take({ call: message, from });
    else throw new DeviceError('protocol', 'the first message of a client must be hello');
  }

  ended(reason: Error): void {
    this.#waiting.length = 0;
    this.#gone.abort(reason);
    this.#host.gone(this, reason.message);
  }

  /** Answers the hello; from here on calls are taken. */
  admit(hello: object): void {
    this.#admitted = true;
    this.#frames.send(hello);
  }

  /** Resolves when no service works for this client any more. */
  idle(): Promise<void> {
    if (this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.push(resolve);
    });
  }

  published(offer: Offer): void {
    if (this.#admitted) this.#frames.send({ type: 'published', ...offer });
  }

  /** Tells of a service that went and answers its calls: the caller must not wait for a driver that hangs. */
  withdrawn({ service, reason }: Departure): void {
    if (!this.#admitted) return;
    this.#frames.send({ type: 'withdrawn', service, reason });
    for (const call of this.#calls.values()) {
      if (call.service === service) this.#fail(call, new DeviceError('gone', reason));
    }
  }

  close(reason: Error): void {
    this.#frames.close(reason);
  }

  /** Cuts it off: what it sent and is not being done yet is dropped. */
  abort(reason: Error): void {
    this.#waiting.length = 0;
    this.#gone.abort(reason);
    this.#frames.abort(reason);
  }

  #take(received: ReceivedCall): void {
    const { id } = received.call;
    if (this.#calls.has(id)) throw new DeviceError('protocol', `call ${id} is in flight already`);
    this.#waiting.push(received);
    this.#startWaiting();
  }

  /** Starts what the bounds allow, and takes more from the socket only when nothing is left waiting. */
  #startWaiting(): void {
    while (this.#waiting.length > 0 && !this.#full) {
      const received = this.#waiting.shift();
      if (received !== undefined) this.#start(received);
    }
    if (this.#full) this.#frames.pause();
    else this.#frames.resume();
  }

  get #full(): boolean {
    return this.#bytes >= MAX_BYTES_IN_FLIGHT || this.#calls.size >= MAX_CALLS_IN_FLIGHT;
  }

  #start({ call, from }: ReceivedCall): void {
    this.#calls.set(call.id, call);
    const bytes = (from?.length ?? 0) + (call.into ?? 0);
    this.#bytes += bytes;
    this.#working += 1;
    const release = () => {
      this.#bytes -= bytes;
      this.#startWaiting();
    };
    void this.#serve(call, from, release).finally(() => {
      if (from !== undefined) this.#host.pool.give(from);
      this.#working -= 1;
      if (this.#working === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  async #serve(call: Call, from: Payload | undefined, release: () => void): Promise<void> {
    const { id, service, method, args } = call;
    try {
      const into = this.#resultBuffer(call);
      const value = await this.#host.offered
        .get(service)
        .serve({ method, args, from, into, signal: this.#gone.signal });
      if (this.#calls.get(id) !== call) return release(); // Answered when the service was withdrawn.
      this.#frames.send(value === undefined ? { type: 'result', id } : { type: 'result', id, value }, into, () => {
        if (into !== undefined) this.#host.pool.give(into);
        release();
      });
      this.#calls.delete(id);
    } catch (error) {
      this.#fail(call, error);
      release();
    }
  }

  #fail(call: Call, error: unknown): void {
    if (this.#calls.get(call.id) !== call) return;
    this.#calls.delete(call.id);
    this.#frames.send({ type: 'error', id: call.id, error: toWireError(error) });
  }

  #resultBuffer({ into }: Call): Payload | undefined {
    if (into === undefined || into === 0) return undefined;
    if (into > MAX_PAYLOAD_BYTES) throw new RangeError(`${into} bytes asked for: a frame carries ${MAX_PAYLOAD_BYTES}`);
    return this.#host.pool.take(into);
  }
}
