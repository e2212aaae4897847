/**
 * The numbers of the NBD protocol that this server knows, in the order and the words of the protocol document
 * (doc/proto.md of NetworkBlockDevice/nbd), without the prefix NBD_.
 */

/** Magic numbers; sections "Newstyle negotiation", "Fixed newstyle negotiation" and "Transmission". */
export const MAGIC = {
  init: 0x4e42444d41474943n, // NBDMAGIC
  option: 0x49484156454f5054n, // IHAVEOPT
  optionReply: 0x0003e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const;

/** Section "Handshake flags"; the client flags have the same bits. */
export const HANDSHAKE_FLAG = { fixedNewstyle: 1 << 0, noZeroes: 1 << 1 } as const;

/** Section "Transmission flags". */
export const TRANSMISSION_FLAG = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  sendFlush: 1 << 2,
  sendFua: 1 << 3,
  sendTrim: 1 << 5,
  sendWriteZeroes: 1 << 6,
  sendDf: 1 << 7,
  canMultiConn: 1 << 8,
  sendCache: 1 << 10,
  sendFastZero: 1 << 11,
} as const;

/** Section "Option types". */
export const OPTION = { exportName: 1, abort: 2, list: 3, info: 6, go: 7, structuredReply: 8 } as const;

/** Section "Option reply types"; errors have bit 31. */
export const OPTION_REPLY = {
  ack: 1,
  server: 2,
  info: 3,
  errorUnsupported: 0x8000_0001,
  errorInvalid: 0x8000_0003,
  errorUnknown: 0x8000_0006,
  errorShutdown: 0x8000_0007,
  errorTooBig: 0x8000_0009,
} as const;

/** Section "Option reply types", NBD_REP_INFO. */
export const INFO = { export: 0, name: 1, description: 2, blockSize: 3 } as const;

/** Section "Request types". */
export const COMMAND = { read: 0, write: 1, disconnect: 2, flush: 3, trim: 4, cache: 5, writeZeroes: 6 } as const;

/** The names of all commands of the section "Request types", for messages. */
export const COMMAND_NAMES = ['READ', 'WRITE', 'DISC', 'FLUSH', 'TRIM', 'CACHE', 'WRITE_ZEROES', 'BLOCK_STATUS'];

/** Section "Command flags". */
export const COMMAND_FLAG = { fua: 1 << 0, noHole: 1 << 1, dontFragment: 1 << 2, fastZero: 1 << 4 } as const;

/** Section "Structured reply flags". */
export const REPLY_FLAG = { done: 1 << 0 } as const;

/** Section "Structured reply types". */
export const REPLY_TYPE = { none: 0, offsetData: 1, error: 0x8001, errorOffset: 0x8002 } as const;

/** Section "Error values": the only ones that a client has to understand. */
export const ERRNO = {
  EPERM: 1,
  EIO: 5,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EOVERFLOW: 75,
  ENOTSUP: 95,
  ESHUTDOWN: 108,
} as const;

/** Section "Size constraints": the least maximum payload that every client may count on. */
export const MAX_PAYLOAD_BYTES = 2 ** 25;

/** Section "Conventions": no string is longer. */
export const MAX_STRING_BYTES = 4096;
