/** Pure: the table of physical region descriptors, by which a bus master finds its memory (SFF-8038i). */
import { PRD } from './registers.ts';

/** Memory with consecutive bus addresses. */
export interface Piece {
  readonly busAddress: bigint;
  readonly sizeBytes: number;
}

/**
 * Writes the table for the first `lengthBytes` of the pieces: an entry each, the last one shorter and marked as the end.
 * @returns how many bytes of `table` it takes.
 * @throws RangeError for what a bus master cannot do: an odd, too long or empty transfer, a piece that crosses 64 KiB,
 *   lies beyond 4 GiB or at an odd address.
 */
export function writePrdTable(table: Uint8Array, pieces: readonly Piece[], lengthBytes: number): number {
  if (!Number.isSafeInteger(lengthBytes) || lengthBytes < 2 || lengthBytes % 2 !== 0)
    throw new RangeError(`a bus master cannot move ${lengthBytes} bytes`);
  const entries = new DataView(table.buffer, table.byteOffset, table.byteLength);
  let left = lengthBytes;
  let offset = 0;
  for (const piece of pieces) {
    if (left === 0) break;
    checkPiece(piece);
    const bytes = Math.min(left, piece.sizeBytes);
    left -= bytes;
    entries.setUint32(offset, Number(piece.busAddress), true);
    // The length has 16 bits: 64 KiB are 0.
    entries.setUint32(offset + 4, ((bytes % PRD.BOUNDARY) + (left === 0 ? PRD.END : 0)) >>> 0, true);
    offset += PRD.BYTES;
  }
  if (left > 0) throw new RangeError(`${lengthBytes} bytes: the pieces are ${left} bytes too small`);
  return offset;
}

function checkPiece({ busAddress, sizeBytes }: Piece): void {
  const last = busAddress + BigInt(sizeBytes) - 1n;
  const boundary = BigInt(PRD.BOUNDARY);
  const fits = sizeBytes > 0 && busAddress >= 0n && last < 1n << BigInt(PRD.ADDRESS_BITS);
  const even = sizeBytes % 2 === 0 && busAddress % 2n === 0n;
  if (fits && even && busAddress / boundary === last / boundary) return;
  throw new RangeError(
    `${sizeBytes} bytes at bus address 0x${busAddress.toString(16)}: a descriptor takes an even address and length, below 4 GiB, not across 64 KiB`,
  );
}
