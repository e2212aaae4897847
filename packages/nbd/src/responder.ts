import { isDeviceError, Lane, type Logger } from '@ring3/core';
import { type BufferPool, capacityBytes, type PooledBuffer } from './buffer-pool.ts';
import { type Refusal, refusalOf } from './errno.ts';
import type { ExportedDisk } from './exported-disk.ts';
import { COMMAND, COMMAND_FLAG, ERRNO } from './protocol.ts';
import type { RangeOrder } from './range-commands.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { CHUNKS_AT_ONCE, streamRead } from './streamed-read.ts';
import {
  DATA_CHUNK_BYTES,
  describeRequest,
  encodeErrorChunk,
  type NbdRequest,
  SIMPLE_REPLY_BYTES,
  writeDataChunkHeader,
  writeSimpleReply,
} from './transmission-messages.ts';

/** What a responder works with. */
export interface ResponderContext {
  readonly disk: ExportedDisk;
  readonly structuredReplies: boolean;
  readonly writer: ReplyWriter;
  readonly pool: BufferPool;
  readonly chunkBytes: number;
  readonly log: Logger;
}

/** Who hears what becomes of a reply. */
export interface ReplyListener {
  /** It waits in the socket. */
  readonly queued: () => void;
  /** The kernel has taken it, or the connection has ended before. */
  readonly sent: () => void;
}

/** Carries out checked requests of one client and sends the replies, in the order in which the device is done. */
export class Responder {
  readonly #context: ResponderContext;
  /** Long requests without payload come one after the other: a client that sends many has no more of the device. */
  readonly #long = new Lane();
  /** Why nobody waits for long requests any more. */
  #stopped: string | undefined;
  #abandoned = false;

  constructor(context: ResponderContext) {
    this.#context = context;
  }

  /** The memory that a request takes until its reply is sent. */
  costBytes(request: NbdRequest): number {
    if (request.type !== COMMAND.read && request.type !== COMMAND.write) return 0;
    if (this.#isStreamed(request)) return CHUNKS_AT_ONCE * capacityBytes(this.#context.chunkBytes);
    return capacityBytes(request.lengthBytes);
  }

  /** Carries out a request; `payload` holds what a WRITE writes. Whatever comes of it, `told` hears of the reply. */
  respond(request: NbdRequest, payload: PooledBuffer | undefined, told: ReplyListener): void {
    if (payload !== undefined) this.#write(request, payload, told);
    else if (request.type === COMMAND.read && !this.#isStreamed(request)) this.#read(request, told);
    else void this.#serveSlowly(request, told);
  }

  /** Answers a request with an error. */
  refuse(request: NbdRequest, refusal: Refusal, sent: () => void): void {
    const { disk, structuredReplies, writer, log } = this.#context;
    disk.count.errors += 1;
    log.debug(`${disk.name}: ${describeRequest(request)} answered with ${refusal.errno}: ${refusal.message}`);
    if (structuredReplies) writer.send(encodeErrorChunk(request, refusal), sent);
    else writer.sendSimpleReply(request, ERRNO[refusal.errno], sent);
  }

  /** The client is gone: reads nothing more for it. Writes go on, each block is old or new in any case. */
  abandon(): void {
    this.#abandoned = true;
    this.stopLong('the client is gone');
  }

  /** Long requests without payload end at their next piece. */
  stopLong(reason: string): void {
    this.#stopped ??= reason;
  }

  /** Section "Command flags", NBD_CMD_FLAG_DF: then a long read is one chunk, as it is in a simple reply. */
  #isStreamed({ type, flags, lengthBytes }: NbdRequest): boolean {
    const { structuredReplies, chunkBytes } = this.#context;
    if (!structuredReplies || type !== COMMAND.read || lengthBytes <= chunkBytes) return false;
    return (flags & COMMAND_FLAG.dontFragment) === 0;
  }

  /** The device is done before the first byte leaves, since a simple reply cannot take back its "no error". */
  #read(request: NbdRequest, told: ReplyListener): void {
    const { disk, pool } = this.#context;
    const buffer = pool.take(request.lengthBytes);
    // Callbacks on the device's own promise, here and below: an async function would make three more for each request.
    void disk.access.read(request.offset, buffer.data).then(
      () => {
        this.#sendData(request, buffer, told.sent);
        told.queued();
      },
      (error: unknown) => this.#fail(request, error, told),
    );
  }

  #sendData(request: NbdRequest, buffer: PooledBuffer, sent: () => void): void {
    const { structuredReplies, pool, writer } = this.#context;
    const { offset, lengthBytes } = request;
    this.#countRead(lengthBytes);
    const message = buffer.message(structuredReplies ? DATA_CHUNK_BYTES : SIMPLE_REPLY_BYTES);
    if (structuredReplies) writeDataChunkHeader(message, 0, { request, offset, lengthBytes, done: true });
    else writeSimpleReply(message, 0, request, 0);
    writer.send(message, () => {
      pool.give(buffer);
      sent();
    });
  }

  #write(request: NbdRequest, payload: PooledBuffer, told: ReplyListener): void {
    const { disk, pool, writer } = this.#context;
    void disk.access.write(request.offset, payload.data, (request.flags & COMMAND_FLAG.fua) !== 0).then(
      () => {
        pool.give(payload);
        disk.count.writes += 1;
        disk.count.bytesWritten += request.lengthBytes;
        writer.sendSimpleReply(request, 0, told.sent);
        told.queued();
      },
      (error: unknown) => this.#fail(request, error, told),
    );
  }

  /** Everything that is not a short read or a write. */
  async #serveSlowly(request: NbdRequest, told: ReplyListener): Promise<void> {
    try {
      if (request.type === COMMAND.read) await this.#readInChunks(request);
      else await this.#serveWithoutData(request);
    } catch (error) {
      this.#fail(request, error, told);
      return;
    }
    if (request.type === COMMAND.read) told.sent();
    else this.#context.writer.sendSimpleReply(request, 0, told.sent);
    told.queued();
  }

  async #readInChunks(request: NbdRequest): Promise<void> {
    const { disk, pool, writer, chunkBytes } = this.#context;
    const abandoned = (): boolean => this.#abandoned;
    await streamRead(request, { access: disk.access, pool, writer, chunkBytes, abandoned });
    this.#countRead(request.lengthBytes);
  }

  /** What is neither of these is CACHE: nothing here would make a later read faster. */
  async #serveWithoutData(request: NbdRequest): Promise<void> {
    if (request.type === COMMAND.flush) await this.#flush();
    else if (request.type === COMMAND.writeZeroes) await this.#zero(request);
    else if (request.type === COMMAND.trim) await this.#trim(request);
  }

  async #flush(): Promise<void> {
    const { disk } = this.#context;
    await disk.access.device.flush();
    disk.count.flushes += 1;
  }

  async #zero(request: NbdRequest): Promise<void> {
    const { ranges, count } = this.#context.disk;
    const order = this.#orderOf(request);
    await (ranges.isShortZero(order) ? ranges.zero(order) : this.#long.run(() => ranges.zero(order)));
    count.zeroes += 1;
    count.bytesZeroed += request.lengthBytes;
  }

  async #trim(request: NbdRequest): Promise<void> {
    const { ranges, count } = this.#context.disk;
    await this.#long.run(() => ranges.trim(this.#orderOf(request)));
    count.trims += 1;
    count.bytesTrimmed += request.lengthBytes;
  }

  #orderOf({ offset, lengthBytes, flags }: NbdRequest): RangeOrder {
    return { offset, lengthBytes, fua: (flags & COMMAND_FLAG.fua) !== 0, stopped: () => this.#stopped };
  }

  /** The first failure of a kind is news, the next thousand are not. What is no DeviceError is a driver's mistake. */
  #fail(request: NbdRequest, error: unknown, told: ReplyListener): void {
    const { disk, log } = this.#context;
    const refusal = refusalOf(error, disk.access.device.info.blockSizeBytes);
    const message = `${disk.name}: ${describeRequest(request)} failed: ${refusal.message}`;
    const expected = isDeviceError(error);
    if (disk.isNews(expected ? error.code : String(error))) {
      if (expected) log.warn(message, { code: error.code, ...error.details });
      else log.error(message, { error });
    }
    this.refuse(request, refusal, told.sent);
    told.queued();
  }

  #countRead(lengthBytes: number): void {
    const { count } = this.#context.disk;
    count.reads += 1;
    count.bytesRead += lengthBytes;
  }
}
