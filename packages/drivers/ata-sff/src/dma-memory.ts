/** The memory of one channel that its bus master reaches: the table of descriptors and a buffer that data pass through. */
import { type DmaAllocator, type DmaBuffer, type DmaConstraints, isDeviceError } from '@ring3/core';
import { type Piece, writePrdTable } from './prd-table.ts';
import { PRD } from './registers.ts';

/** Some controllers take a length of 64 KiB, which is written as 0, for nothing: half of it is never misunderstood. */
const LARGEST_PIECE_BYTES = 32 * 1024;
/** A page: where memory is in pieces as small as that, a table of them is still short. */
const SMALLEST_PIECE_BYTES = 4096;

/** Which way data move. */
export type Direction = 'to-memory' | 'from-memory';

/**
 * Table and buffer, allocated once. A caller's memory cannot be reached by the device, so all data pass through the buffer
 * and are copied once.
 */
export class DmaMemory {
  readonly sizeBytes: number;
  readonly #table: DmaBuffer;
  readonly #pieces: readonly DmaBuffer[];
  readonly #regions: readonly Piece[];
  /** The length of the transfer that the table was written for: many in a row have the same. */
  #tableFor = 0;

  constructor(table: DmaBuffer, pieces: readonly DmaBuffer[]) {
    this.#table = table;
    this.#pieces = pieces;
    this.#regions = pieces.map(({ busAddress, bytes }) => ({ busAddress, sizeBytes: bytes.length }));
    this.sizeBytes = this.#regions.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /** Where the table is. */
  get tableAddress(): number {
    return Number(this.#table.busAddress);
  }

  /** Makes the table, and what the device is to read, ready for the device. */
  prepare(direction: Direction, data: Uint8Array): void {
    if (data.length !== this.#tableFor) {
      this.#table.syncForDevice(0, writePrdTable(this.#table.bytes, this.#regions, data.length));
      this.#tableFor = data.length;
    }
    this.#each(data, (piece, part) => {
      if (direction === 'from-memory') piece.bytes.set(part);
      // Also before the device writes: nothing of the processor's may be written back on top of it later.
      piece.syncForDevice(0, part.length);
    });
  }

  /** Copies what the device wrote. */
  take(into: Uint8Array): void {
    this.#each(into, (piece, part) => {
      piece.syncForCpu(0, part.length);
      part.set(part.length === piece.bytes.length ? piece.bytes : piece.bytes.subarray(0, part.length));
    });
  }

  /** Gives the memory back; the bus master must be known to have stopped. */
  release(): void {
    for (const buffer of [this.#table, ...this.#pieces]) buffer.release();
  }

  #each(data: Uint8Array, act: (piece: DmaBuffer, part: Uint8Array) => void): void {
    for (let index = 0, offset = 0; offset < data.length; index++) {
      const piece = this.#pieces[index];
      if (piece === undefined) throw new RangeError(`${data.length} bytes do not fit ${this.sizeBytes}`);
      act(piece, data.subarray(offset, offset + piece.bytes.length));
      offset += piece.bytes.length;
    }
  }
}

/**
 * Allocates a buffer of `wantedBytes`, in pieces as large as the memory has them. What is there when no more can be had is
 * kept, so a small machine gets a small buffer.
 * @throws DeviceError `unsupported` when not even 4 KiB can be had.
 */
export function allocateDmaMemory(allocator: DmaAllocator, wantedBytes: number): DmaMemory {
  const pages = Math.ceil(wantedBytes / SMALLEST_PIECE_BYTES);
  const rules = { boundary: PRD.BOUNDARY, addressBits: PRD.ADDRESS_BITS };
  // For the most entries that there can be; more would not fit 64 KiB, which options see to.
  const table = allocator.allocate(PRD.BYTES * pages, rules);
  try {
    return new DmaMemory(table, allocatePieces(allocator, pages * SMALLEST_PIECE_BYTES, rules));
  } catch (error) {
    table.release();
    throw error;
  }
}

function allocatePieces(allocator: DmaAllocator, wantedBytes: number, rules: DmaConstraints): DmaBuffer[] {
  const pieces: DmaBuffer[] = [];
  let left = wantedBytes;
  let pieceBytes = LARGEST_PIECE_BYTES;
  while (left > 0) {
    while (pieceBytes > left) pieceBytes /= 2;
    try {
      pieces.push(allocator.allocate(pieceBytes, rules));
      left -= pieceBytes;
    } catch (error) {
      if (!isDeviceError(error, 'unsupported')) throw error;
      if (pieceBytes > SMALLEST_PIECE_BYTES) pieceBytes /= 2;
      else if (pieces.length > 0) break;
      else throw error;
    }
  }
  return pieces;
}
