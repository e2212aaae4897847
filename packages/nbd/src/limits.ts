/** What clients may take of this process. */
export interface NbdLimits {
  /** Clients at a time; a further one is disconnected at once. */
  readonly clients: number;
  /** Requests of one client that are being served; after that its socket is not read any more. */
  readonly requestsPerClient: number;
  /**
   * Memory that the requests of one client hold together; a single larger one, of up to 32 MiB, is served when it is
   * alone. More than what fits into the processor's cache makes large reads slower, not faster.
   */
  readonly bytesPerClient: number;
  /** The most data in one chunk of a structured reply; a longer read is sent in chunks, two at a time. */
  readonly chunkBytes: number;
  /** Memory that is kept for the next requests, for all clients together. */
  readonly idleBytes: number;
  /** Time for a client to get through the handshake; there is none afterwards. */
  readonly handshakeMs: number;
}

/** The limits that hold unless others are given. */
export const DEFAULT_LIMITS: NbdLimits = {
  clients: 32,
  requestsPerClient: 128,
  bytesPerClient: 2 ** 23,
  chunkBytes: 2 ** 20,
  idleBytes: 2 ** 24,
  handshakeMs: 10_000,
};
