import { DeviceError } from '@ring3/core';
import type { Call, Failure, Result } from './messages.ts';
import type { Bulk, WireCaller } from './service-wire.ts';
import { ConnectionLostError, fromWireError } from './wire-error.ts';

interface Pending {
  readonly into: Uint8Array | undefined;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The calls of one connection that wait for their answers. */
export class PendingCalls {
  readonly #send: (message: Call, payload: Uint8Array | undefined) => void;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #lost: string | undefined;

  constructor(send: (message: Call, payload: Uint8Array | undefined) => void) {
    this.#send = send;
  }

  /** Where the proxies of one service make their calls. `refuse` is asked first: why not, if so. */
  caller(service: number, refuse: () => Error | undefined): WireCaller {
    return {
      call: (method, args, bulk = {}) => {
        const refusal = refuse();
        return refusal === undefined ? this.#call(service, method, args, bulk) : Promise.reject(refusal);
      },
    };
  }

  /** Where the payload of a result goes: to its caller, if the length is right. */
  place(id: number, bytes: number): Uint8Array | undefined {
    const into = this.#pending.get(id)?.into;
    return into?.length === bytes ? into : undefined;
  }

  done({ id, value }: Result, payload: Uint8Array | undefined): void {
    const pending = this.#take(id);
    if (pending.into === payload) pending.resolve(value);
    else pending.reject(new DeviceError('protocol', `the result of call ${id} has not the length that was asked for`));
  }

  failed({ id, error }: Failure): void {
    this.#take(id).reject(fromWireError(error));
  }

  /** Nobody will answer any more. */
  lose(reason: string): void {
    this.#lost = reason;
    for (const { reject } of this.#pending.values()) reject(new ConnectionLostError(reason));
    this.#pending.clear();
  }

  #call(service: number, method: string, args: Call['args'], { from, into }: Bulk): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(new ConnectionLostError(this.#lost));
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const call = { type: 'call', id, service, method, args } as const;
      this.#send(into === undefined ? call : { ...call, into: into.length }, from); // Throws what is too long.
      this.#pending.set(id, { into, resolve, reject });
    });
  }

  #take(id: number): Pending {
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new DeviceError('protocol', `an answer to call ${id}, which is not in flight`);
    this.#pending.delete(id);
    return pending;
  }
}
