import { MAX_PAYLOAD_BYTES } from './protocol.ts';

/** What clients may take of this process. */
export interface NbdLimits {
  /** Clients at a time; a further one is disconnected at once. */
  readonly clients: number;
  /** Requests of one client that are being served; after that its socket is not read any more. */
  readonly requestsPerClient: number;
  /** Memory that the requests of one client hold; a single request of 32 MiB is always served. */
  readonly bytesPerClient: number;
  /** The most data in one chunk of a structured reply; a longer read is sent in chunks, two at a time. */
  readonly chunkBytes: number;
  /** Memory that is kept for the next requests, for all clients together. */
  readonly idleBytes: number;
  /** Time for a client to get through the handshake; there is none afterwards. */
  readonly handshakeMs: number;
}

/** The limits that hold unless others are given: at most 32 MiB for each client, and 16 MiB kept for all. */
export const DEFAULT_LIMITS: NbdLimits = {
  clients: 32,
  requestsPerClient: 128,
  bytesPerClient: MAX_PAYLOAD_BYTES,
  chunkBytes: 2 ** 20,
  idleBytes: 2 ** 24,
  handshakeMs: 10_000,
};
