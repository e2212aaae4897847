import { encodeMessage, type Refusal } from './errno.ts';
import { COMMAND_NAMES, ERRNO, MAGIC, REPLY_FLAG, REPLY_TYPE } from './protocol.ts';

/** The size of a request without its payload. */
export const REQUEST_BYTES = 28;
/** The size of a simple reply without its payload. */
export const SIMPLE_REPLY_BYTES = 16;
/** The size of a structured chunk of data before the data: header and offset. */
export const DATA_CHUNK_BYTES = 28;
const CHUNK_HEADER_BYTES = 20;

/** A request as it came (proto.md, "Request message"). */
export interface NbdRequest {
  readonly flags: number;
  readonly type: number;
  /** The two halves of the cookie: opaque, so never a bigint. */
  readonly cookieHigh: number;
  readonly cookieLow: number;
  /** Exact below 2^53; above it still larger than every export. */
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Decodes a request, or returns undefined when its magic is wrong. */
export function decodeRequest(header: Buffer): NbdRequest | undefined {
  if (header.readUInt32BE(0) !== MAGIC.request) return undefined;
  return {
    flags: header.readUInt16BE(4),
    type: header.readUInt16BE(6),
    cookieHigh: header.readUInt32BE(8),
    cookieLow: header.readUInt32BE(12),
    offset: header.readUInt32BE(16) * 2 ** 32 + header.readUInt32BE(20),
    lengthBytes: header.readUInt32BE(24),
  };
}

/** A request in words: `WRITE of 4096 bytes at 0x1000`. */
export function describeRequest({ type, lengthBytes, offset }: NbdRequest): string {
  const name = COMMAND_NAMES[type] ?? `command ${type}`;
  return lengthBytes === 0 && offset === 0 ? name : `${name} of ${lengthBytes} bytes at 0x${offset.toString(16)}`;
}

/** Writes the header of a simple reply to `into` at `at` (proto.md, "Simple reply message"). */
export function writeSimpleReply(into: Buffer, at: number, request: NbdRequest, errno: number): void {
  into.writeUInt32BE(MAGIC.simpleReply, at);
  into.writeUInt32BE(errno, at + 4);
  into.writeUInt32BE(request.cookieHigh, at + 8);
  into.writeUInt32BE(request.cookieLow, at + 12);
}

/** A simple reply without payload. */
export function encodeSimpleReply(request: NbdRequest, errno: number): Buffer {
  const reply = Buffer.allocUnsafe(SIMPLE_REPLY_BYTES);
  writeSimpleReply(reply, 0, request, errno);
  return reply;
}

/** What precedes the data in a chunk of a structured reply. */
export interface DataChunk {
  readonly request: NbdRequest;
  readonly offset: number;
  readonly lengthBytes: number;
  /** Whether no further chunk of this reply follows. */
  readonly done: boolean;
}

/** Writes what precedes the data of an NBD_REPLY_TYPE_OFFSET_DATA chunk to `into` at `at`. */
export function writeDataChunkHeader(into: Buffer, at: number, chunk: DataChunk): void {
  const flags = chunk.done ? REPLY_FLAG.done : 0;
  const payloadBytes = 8 + chunk.lengthBytes;
  writeChunkHeader(into, at, { request: chunk.request, flags, type: REPLY_TYPE.offsetData, payloadBytes });
  writeOffset(into, at + CHUNK_HEADER_BYTES, chunk.offset);
}

/**
 * The final chunk of a reply that failed: NBD_REPLY_TYPE_ERROR_OFFSET if the place of the failure is known, else
 * NBD_REPLY_TYPE_ERROR. The offset must lie within the request, so it is clamped to it.
 */
export function encodeErrorChunk(request: NbdRequest, refusal: Refusal): Buffer {
  const message = encodeMessage(refusal.message);
  const hasOffset = refusal.offset !== undefined && request.lengthBytes > 0;
  const payloadBytes = 6 + message.length + (hasOffset ? 8 : 0);
  const chunk = Buffer.allocUnsafe(CHUNK_HEADER_BYTES + payloadBytes);
  const type = hasOffset ? REPLY_TYPE.errorOffset : REPLY_TYPE.error;
  writeChunkHeader(chunk, 0, { request, flags: REPLY_FLAG.done, type, payloadBytes });
  chunk.writeUInt32BE(ERRNO[refusal.errno], 20);
  chunk.writeUInt16BE(message.length, 24);
  chunk.set(message, 26);
  if (hasOffset) {
    const last = request.offset + request.lengthBytes - 1;
    writeOffset(chunk, 26 + message.length, Math.min(Math.max(refusal.offset, request.offset), last));
  }
  return chunk;
}

interface ChunkHeader {
  readonly request: NbdRequest;
  readonly flags: number;
  readonly type: number;
  readonly payloadBytes: number;
}

/** Section "Structured reply chunk message". */
function writeChunkHeader(into: Buffer, at: number, { request, flags, type, payloadBytes }: ChunkHeader): void {
  into.writeUInt32BE(MAGIC.structuredReply, at);
  into.writeUInt16BE(flags, at + 4);
  into.writeUInt16BE(type, at + 6);
  into.writeUInt32BE(request.cookieHigh, at + 8);
  into.writeUInt32BE(request.cookieLow, at + 12);
  into.writeUInt32BE(payloadBytes, at + 16);
}

function writeOffset(into: Buffer, at: number, offset: number): void {
  into.writeUInt32BE(Math.floor(offset / 2 ** 32), at);
  into.writeUInt32BE(offset % 2 ** 32, at + 4);
}
