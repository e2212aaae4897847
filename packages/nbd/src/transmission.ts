import { type Clock, DeviceError, duration } from '@ring3/core';
import { Budget } from './budget.ts';
import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { checkRequest, type RequestRules } from './check-request.ts';
import type { Refusal } from './errno.ts';
import type { Agreement } from './handshake.ts';
import type { NbdLimits } from './limits.ts';
import { COMMAND, MAX_PAYLOAD_BYTES } from './protocol.ts';
import type { Responder } from './responder.ts';
import type { SocketReader } from './socket-reader.ts';
import { decodeRequest, describeRequest, type NbdRequest, REQUEST_BYTES } from './transmission-messages.ts';

/** The payload of a refused write is read and thrown away up to this size; a longer one ends the connection. */
const MAX_SKIPPED_BYTES = 2 * MAX_PAYLOAD_BYTES;

/** What a transmission phase works with. */
export interface TransmissionContext {
  readonly agreement: Agreement;
  readonly reader: SocketReader;
  readonly responder: Responder;
  readonly pool: BufferPool;
  readonly limits: NbdLimits;
  readonly clock: Clock;
  /** Called when the device is not the one any more that the client was told of. */
  readonly changed: (reason: string) => void;
  /** Called once, when the client has broken the protocol in a way that leaves no answer. */
  readonly violated: (error: DeviceError) => void;
}

/** The transmission phase of one connection: takes requests off the socket as the client's budget allows. */
export class Transmission {
  /** Resolves when no request is being served and none is accepted any more. */
  readonly ended: Promise<void>;
  readonly #context: TransmissionContext;
  readonly #rules: RequestRules;
  readonly #budget: Budget;
  readonly #header = Buffer.alloc(REQUEST_BYTES);
  /** What is being served, with the time of its arrival. */
  readonly #served = new Map<NbdRequest, number>();
  #draining: string | undefined;
  #reading = true;
  #tookLeave = false;
  #end: () => void = () => {};

  constructor(context: TransmissionContext) {
    const { agreement, limits } = context;
    this.#context = context;
    this.#budget = new Budget(limits.requestsPerClient, limits.bytesPerClient);
    this.#rules = {
      sizeBytes: agreement.disk.facts.sizeBytes,
      readOnly: agreement.disk.readOnly,
      canTrim: agreement.disk.ranges.canTrim,
      structuredReplies: agreement.structuredReplies,
    };
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Requests whose replies the kernel has not taken yet. */
  get requests(): number {
    return this.#budget.requests;
  }

  /** Memory that these requests hold. */
  get heldBytes(): number {
    return this.#budget.bytes;
  }

  /** What is being served, in words; undefined when there is nothing. */
  get oldest(): string | undefined {
    const [oldest] = this.#served;
    if (oldest === undefined) return undefined;
    const [request, sinceUs] = oldest;
    return `${describeRequest(request)} (${duration(this.#context.clock.nowUs() - sinceUs)})`;
  }

  /** Whether the client has sent DISC: what it asked for before is to be done. */
  get tookLeave(): boolean {
    return this.#tookLeave;
  }

  /** Begins to take requests. */
  start(): void {
    this.#next();
  }

  /** From now on new requests are answered with ESHUTDOWN; {@link ended} comes when the others are answered. */
  drain(reason: string): void {
    this.#draining ??= reason;
    this.#settle();
  }

  /** The client sends nothing more: what was received whole is still answered. */
  finish(): void {
    this.#reading = false;
    this.#settle();
  }

  #takeLeave(): void {
    this.#tookLeave = true;
    this.finish();
  }

  #next(): void {
    if (this.#reading) this.#context.reader.fill(this.#header, this.#received);
  }

  readonly #received = (): void => {
    const request = decodeRequest(this.#header);
    if (request === undefined) this.#violate('what should be a request has the wrong magic number');
    // Section "Terminating the transmission phase": no reply, but everything before it is answered.
    else if (request.type === COMMAND.disconnect) this.#takeLeave();
    else if (payloadBytes(request) <= MAX_SKIPPED_BYTES) this.#take(request);
    else this.#violate(`${describeRequest(request)}: that is too much even to throw away`);
  };

  #take(request: NbdRequest): void {
    const refusal = this.#refusal(request);
    const cost = refusal === undefined ? this.#context.responder.costBytes(request) : 0;
    this.#budget.take(cost, () => {
      if (!this.#reading) this.#budget.give(cost);
      else if (refusal === undefined) this.#admit(request, cost);
      else this.#refuse(request, refusal);
    });
  }

  #refusal(request: NbdRequest): Refusal | undefined {
    if (this.#draining !== undefined) return { errno: 'ESHUTDOWN', message: this.#draining };
    const change = this.#context.agreement.disk.change;
    return change === undefined ? checkRequest(request, this.#rules) : { errno: 'ESHUTDOWN', message: change };
  }

  /** The payload of a refused write passes by unkept; the client may not listen before it has sent it. */
  #refuse(request: NbdRequest, refusal: Refusal): void {
    this.#context.reader.skip(payloadBytes(request), () => {
      this.#next();
      this.#context.responder.refuse(request, refusal, () => this.#budget.give(0));
      const { change } = this.#context.agreement.disk;
      if (change !== undefined && this.#draining === undefined) this.#context.changed(change);
    });
  }

  #admit(request: NbdRequest, cost: number): void {
    if (request.type !== COMMAND.write) {
      this.#next();
      this.#serve(request, undefined, cost);
      return;
    }
    const payload = this.#context.pool.take(request.lengthBytes);
    this.#context.reader.fill(payload.data, () => {
      this.#next();
      this.#serve(request, payload, cost);
    });
  }

  #serve(request: NbdRequest, payload: PooledBuffer | undefined, cost: number): void {
    this.#served.set(request, this.#context.clock.nowUs());
    this.#context.responder.respond(request, payload, {
      queued: () => {
        this.#served.delete(request);
        this.#settle();
      },
      sent: () => this.#budget.give(cost),
    });
  }

  #settle(): void {
    if (this.#served.size > 0 || (this.#reading && this.#draining === undefined)) return;
    this.#reading = false;
    this.#context.reader.discard();
    this.#end();
  }

  #violate(message: string): void {
    this.#reading = false;
    this.#context.violated(new DeviceError('protocol', message));
  }
}

function payloadBytes({ type, lengthBytes }: NbdRequest): number {
  return type === COMMAND.write ? lengthBytes : 0;
}
