import type { BufferPool } from './buffer-pool.ts';
import type { ByteAccess } from './byte-access.ts';
import { cutRange } from './cut-range.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { runBounded } from './run-bounded.ts';
import { DATA_CHUNK_BYTES, type NbdRequest, writeDataChunkHeader } from './transmission-messages.ts';

/** Chunks of one read that are read from the device or on their way to the client. */
export const CHUNKS_AT_ONCE = 2;

/** Where a streamed read comes from and goes to. */
export interface StreamedReadContext {
  readonly access: ByteAccess;
  readonly pool: BufferPool;
  readonly writer: ReplyWriter;
  readonly chunkBytes: number;
  /** Whether the client is gone, so that nothing more needs to be read for it. */
  readonly abandoned: () => boolean;
}

/**
 * Answers one read with several chunks (proto.md, "Structured reply chunk message"), so that a long read takes no more
 * memory than {@link CHUNKS_AT_ONCE} chunks however slowly the client takes them. Resolves when the kernel has
 * taken the last chunk.
 * @throws what the device threw for the first bad chunk; the reply then still needs its error chunk.
 */
export async function streamRead(request: NbdRequest, context: StreamedReadContext): Promise<void> {
  const { offset, lengthBytes } = request;
  const { count, piece } = cutRange(offset, lengthBytes, context.chunkBytes);
  let unread = count;
  await runBounded(count, CHUNKS_AT_ONCE, async (index) => {
    if (context.abandoned()) return;
    const { offset: from, lengthBytes: length } = piece(index);
    const buffer = context.pool.take(length);
    await context.access.read(from, buffer.data);
    unread -= 1;
    const message = buffer.message(DATA_CHUNK_BYTES);
    writeDataChunkHeader(message, 0, { request, offset: from, lengthBytes: length, done: unread === 0 });
    await new Promise<void>((resolve) => {
      context.writer.send(message, resolve);
    });
    context.pool.give(buffer);
  });
}
