import { DeviceError } from '@ring3/core';
import type { WireError } from './wire-error.ts';

/** The messages of the service protocol, as docs/service-protocol.md describes them, and the check of what came in. */

/** Both sides must speak the same one. */
export const SERVICE_PROTOCOL_VERSION = 1;

/** One service on offer; `service` is its number on this socket and is never used again. */
export interface Offer {
  readonly service: number;
  readonly class: string;
  readonly name: string;
  /** What the class of service tells about it beforehand. */
  readonly info: unknown;
}

/** The first message of a client. */
export interface ClientHello {
  readonly type: 'hello';
  readonly version: number;
  readonly session: string;
}

/** A call; `into` is the length of the payload that its result must have. */
export interface Call {
  readonly type: 'call';
  readonly id: number;
  readonly service: number;
  readonly method: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly into?: number;
}

/** The last message of either side: why it ends the connection. */
export interface Bye {
  readonly type: 'bye';
  readonly reason: string;
  /** The code of the DeviceError that ends it, where there is one. */
  readonly code?: string;
}

/** What a client sends. */
export type ClientMessage = ClientHello | Call | Bye;

/** The answer to a client's hello. */
export interface HostHello {
  readonly type: 'hello';
  readonly version: number;
  readonly device: string;
  readonly generation: number;
  readonly services: readonly Offer[];
}

/** A service that came. */
export interface Published extends Offer {
  readonly type: 'published';
}

/** A service that went; its calls in flight are answered with errors right behind this. */
export interface Withdrawn {
  readonly type: 'withdrawn';
  readonly service: number;
  readonly reason: string;
}

/** A call that was done. */
export interface Result {
  readonly type: 'result';
  readonly id: number;
  readonly value?: unknown;
}

/** A call that failed. */
export interface Failure {
  readonly type: 'error';
  readonly id: number;
  readonly error: WireError;
}

/** What a host sends. */
export type HostMessage = HostHello | Published | Withdrawn | Result | Failure | Bye;

type Fields = Readonly<Record<string, unknown>> & { readonly type?: unknown };

/** @throws DeviceError `protocol` for what no client may send. */
export function parseClientMessage(json: unknown): ClientMessage {
  const fields = asFields(json);
  switch (fields.type) {
    case 'call':
      need(isCall(fields), json);
      return json as Call;
    case 'hello':
      need(isClientHello(fields), json);
      return json as ClientHello;
    case 'bye':
      need(isBye(fields), json);
      return json as Bye;
    default:
      throw violation(json);
  }
}

/** @throws DeviceError `protocol` for what no host may send. */
export function parseHostMessage(json: unknown): HostMessage {
  const fields = asFields(json);
  need(HOST_CHECKS[String(fields.type)]?.(fields) === true, json);
  return json as HostMessage;
}

const HOST_CHECKS: Readonly<Record<string, (fields: Fields) => boolean>> = {
  result: ({ id }) => isInteger(id),
  error: ({ id, error }) => isInteger(id) && isWireError(error),
  published: isOffer,
  withdrawn: ({ service, reason }) => isInteger(service) && typeof reason === 'string',
  hello: isHostHello,
  bye: isBye,
};

function isCall({ id, service, method, args, into }: Fields): boolean {
  return (
    isInteger(id) &&
    isInteger(service) &&
    typeof method === 'string' &&
    typeof args === 'object' &&
    args !== null &&
    (into === undefined || isInteger(into))
  );
}

function isClientHello({ version, session }: Fields): boolean {
  return isInteger(version) && typeof session === 'string';
}

/** A host of another version may say another hello: then only the version counts. */
function isHostHello({ version, device, generation, services }: Fields): boolean {
  if (version !== SERVICE_PROTOCOL_VERSION) return isInteger(version);
  return (
    typeof device === 'string' &&
    isInteger(generation) &&
    Array.isArray(services) &&
    services.every((offer) => isOffer(asFields(offer)))
  );
}

function isBye({ reason }: Fields): boolean {
  return typeof reason === 'string';
}

function isOffer({ service, class: className, name }: Fields): boolean {
  return isInteger(service) && typeof className === 'string' && typeof name === 'string';
}

function isWireError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { name, message } = error as Fields;
  return typeof name === 'string' && typeof message === 'string';
}

function isInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function asFields(json: unknown): Fields {
  if (typeof json !== 'object' || json === null) throw violation(json);
  return json as Fields;
}

function need(holds: boolean, json: unknown): void {
  if (!holds) throw violation(json);
}

function violation(json: unknown): DeviceError {
  return new DeviceError('protocol', `not a message of the service protocol: ${JSON.stringify(json).slice(0, 120)}`);
}
