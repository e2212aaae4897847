import type { ServiceClass } from '@ring3/core';

/** A call as it arrives in the process of the service. */
export interface WireCall {
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The payload that came with the call; belongs to the service until its promise settles. */
  readonly from: Uint8Array | undefined;
  /** What is sent back as payload: as long as the caller asked for, to be filled until the promise settles. */
  readonly into: Uint8Array | undefined;
  /** Aborted when the client is gone: a call that waits for the world gives up, so that nothing is done for nobody. */
  readonly signal: AbortSignal;
}

/** The bulk data of a call: `from` goes there, `into` is filled from there. */
export interface Bulk {
  readonly from?: Uint8Array;
  readonly into?: Uint8Array;
}

/** Where a proxy makes its calls. */
export interface WireCaller {
  /**
   * Calls `method` in the other process; any number of calls may be in flight, their answers come in any order.
   * `from` must not change and `into` is not complete until the promise settles; then the wire touches neither.
   * @throws what the service threw, or {@link ConnectionLostError} when nobody knows what became of the call.
   */
  call(method: string, args: Readonly<Record<string, unknown>>, bulk?: Bulk): Promise<unknown>;
}

/** How services of one class are carried between processes. */
export interface ServiceWire<T> {
  readonly serviceClass: ServiceClass<T>;
  /** What a proxy must know before its first call: plain JSON. */
  describe(service: T): unknown;
  /**
   * Does one call in the process of the service and returns its value, plain JSON.
   * @throws TypeError for a method that there is not.
   */
  serve(service: T, call: WireCall): Promise<unknown>;
  /** Makes what stands for the service in the process of the caller. @throws TypeError when `info` makes no sense. */
  proxy(info: unknown, caller: WireCaller): T;
}

/** The error for a method that a class of services does not have. */
export function unknownMethod(className: string, method: string): TypeError {
  return new TypeError(`a ${className} has no method ${JSON.stringify(method)}`);
}
