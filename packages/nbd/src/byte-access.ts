import type { BlockDevice, BlockDeviceInfo, WriteOptions } from '@ring3/core';
import { RangeLock, type RangeTicket } from './range-lock.ts';
import { runBounded } from './run-bounded.ts';

const PLAIN: WriteOptions = { fua: false };
const WITH_FUA: WriteOptions = { fua: true };

/** The most device calls that one request has under way. */
const DEVICE_CALLS_PER_REQUEST = 4;

/** A part of a request: whole blocks, or bytes of one block. */
interface Piece {
  readonly block: number;
  readonly bytes: Uint8Array;
  /** Where in the block the bytes start. */
  readonly skip: number;
  readonly whole: boolean;
}

/**
 * A block device by the byte. Requests on whole blocks go straight through, in pieces of what the device takes at once;
 * partial blocks are read, changed and written under a lock that keeps overlapping writes of all clients apart.
 *
 * The caller has checked that the bytes exist.
 */
export class ByteAccess {
  readonly device: BlockDevice;
  readonly sizeBytes: number;
  readonly #blockBytes: number;
  readonly #maxBytes: number;
  readonly #lock = new RangeLock();

  /** @throws RangeError when the device's description is not that of a disk. */
  constructor(device: BlockDevice) {
    const { blockSizeBytes, blockCount, maxTransferBlocks } = device.info;
    checkInfo(device.info);
    this.device = device;
    this.sizeBytes = blockSizeBytes * blockCount;
    this.#blockBytes = blockSizeBytes;
    this.#maxBytes = blockSizeBytes * maxTransferBlocks;
  }

  /** Fills `into` from the byte `offset` on. */
  read(offset: number, into: Uint8Array): Promise<void> {
    const block = offset / this.#blockBytes;
    if (this.#isDirect(block, into.length)) return this.#readBlocks(block, into);
    return this.#each(offset, into, (piece) => this.#readPiece(piece));
  }

  /** Writes `from` from the byte `offset` on. */
  write(offset: number, from: Uint8Array, fua: boolean): Promise<void> {
    const first = Math.floor(offset / this.#blockBytes);
    const last = Math.ceil((offset + from.length) / this.#blockBytes) - 1;
    const whole = offset % this.#blockBytes === 0 && from.length % this.#blockBytes === 0;
    const ticket = this.#lock.acquire(first, last, !whole);
    if (whole && from.length <= this.#maxBytes && ticket.granted === undefined) {
      return this.#thenRelease(this.#writeBlocks(first, from, fua), ticket);
    }
    return this.#thenRelease(this.#writePieces(offset, from, fua, ticket.granted), ticket);
  }

  /** A device that throws, which none may, fails the request and not the process. */
  #readBlocks(block: number, into: Uint8Array): Promise<void> {
    try {
      return this.device.read(block, into);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #writeBlocks(block: number, from: Uint8Array, fua: boolean): Promise<void> {
    try {
      return this.device.write(block, from, fua ? WITH_FUA : PLAIN);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** One promise, not the three of an async function with `finally`: this is on the way of every write. */
  #thenRelease(done: Promise<void>, ticket: RangeTicket): Promise<void> {
    return done.then(
      () => this.#lock.release(ticket),
      (error: unknown) => {
        this.#lock.release(ticket);
        throw error;
      },
    );
  }

  async #writePieces(
    offset: number,
    from: Uint8Array,
    fua: boolean,
    granted: Promise<void> | undefined,
  ): Promise<void> {
    await granted;
    await this.#each(offset, from, (piece) => this.#writePiece(piece, fua));
  }

  #isDirect(block: number, lengthBytes: number): boolean {
    return Number.isInteger(block) && lengthBytes % this.#blockBytes === 0 && lengthBytes <= this.#maxBytes;
  }

  async #readPiece({ block, bytes, skip, whole }: Piece): Promise<void> {
    if (whole) return this.device.read(block, bytes);
    const content = new Uint8Array(this.#blockBytes);
    await this.device.read(block, content);
    bytes.set(content.subarray(skip, skip + bytes.length));
  }

  async #writePiece({ block, bytes, skip, whole }: Piece, fua: boolean): Promise<void> {
    if (whole) return this.device.write(block, bytes, { fua });
    const content = new Uint8Array(this.#blockBytes);
    await this.device.read(block, content);
    content.set(bytes, skip);
    await this.device.write(block, content, { fua });
  }

  #each(offset: number, bytes: Uint8Array, action: (piece: Piece) => Promise<void>): Promise<void> {
    const pieces = this.#pieces(offset, bytes);
    return runBounded(pieces.length, DEVICE_CALLS_PER_REQUEST, async (index) => {
      const piece = pieces[index];
      if (piece !== undefined) await action(piece);
    });
  }

  #pieces(offset: number, bytes: Uint8Array): Piece[] {
    const pieces: Piece[] = [];
    for (let at = 0; at < bytes.length; ) {
      const skip = (offset + at) % this.#blockBytes;
      const left = bytes.length - at;
      const whole = skip === 0 && left >= this.#blockBytes;
      const length = whole
        ? Math.min(left - (left % this.#blockBytes), this.#maxBytes)
        : Math.min(this.#blockBytes - skip, left);
      pieces.push({
        block: Math.floor((offset + at) / this.#blockBytes),
        bytes: bytes.subarray(at, at + length),
        skip,
        whole,
      });
      at += length;
    }
    return pieces;
  }
}

function checkInfo({ blockSizeBytes, blockCount, maxTransferBlocks }: BlockDeviceInfo): void {
  const numbers = [blockSizeBytes, blockCount, maxTransferBlocks, blockSizeBytes * blockCount];
  if (numbers.every((number) => Number.isSafeInteger(number) && number > 0)) return;
  throw new RangeError(
    `a disk of ${blockCount} blocks of ${blockSizeBytes} bytes, ${maxTransferBlocks} at once, cannot be served`,
  );
}
