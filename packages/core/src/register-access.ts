/** Width of one register access, in bits. */
export type Width = 8 | 16 | 32;

/** One access of a sequence: done in its place, exactly once. */
export type RegisterOp =
  | { readonly kind: 'read'; readonly width: Width; readonly offset: number }
  | { readonly kind: 'write'; readonly width: Width; readonly offset: number; readonly value: number };

/**
 * What a bus must be able to do: the primitive that a backend implements and a {@link RegisterSpace} stands on.
 * Offsets, widths and values are checked already. One call is one access of that width, in the byte order of
 * the bus read as little-endian; a bus that is gone reads all ones, it does not throw.
 */
export interface RegisterAccess {
  read(offset: number, width: Width): number;
  write(offset: number, width: Width, value: number): void;
  /** Repeated reads of one register into memory, the first word first (`ioread16_rep`). Default: a loop. */
  readFifo?(offset: number, width: Width, into: Uint8Array): void;
  /** Repeated writes of one register from memory (`iowrite16_rep`). Default: a loop. */
  writeFifo?(offset: number, width: Width, from: Uint8Array): void;
  /** Copies `into.length` bytes of device memory, by 32-bit accesses at rising offsets. Default: a loop. */
  readBlock?(offset: number, into: Uint8Array): void;
  /** The counterpart of `readBlock`. */
  writeBlock?(offset: number, from: Uint8Array): void;
  /** All accesses in order; the values of the reads are appended to `results`. Default: a loop. */
  sequence?(ops: readonly RegisterOp[], results: number[]): void;
  /** One 64-bit access; absent where the bus or the device has none (the widths of a description end at 32). */
  read64?(offset: number): bigint;
  write64?(offset: number, value: bigint): void;
  /** Orders accesses to memory against accesses to the device. Default: nothing, for a bus without reordering. */
  barrier?(): void;
}

/** Reads a FIFO register word by word; bytes land in the order in which the bus delivers them, low byte first. */
export function readFifoByWords(access: RegisterAccess, offset: number, width: Width, into: Uint8Array): void {
  const step = width / 8;
  for (let at = 0; at < into.length; at += step) {
    const word = access.read(offset, width);
    for (let byte = 0; byte < step; byte++) into[at + byte] = word >>> (8 * byte);
  }
}

/** Writes a FIFO register word by word: the counterpart of {@link readFifoByWords}. */
export function writeFifoByWords(access: RegisterAccess, offset: number, width: Width, from: Uint8Array): void {
  const step = width / 8;
  for (let at = 0; at < from.length; at += step) {
    let word = 0;
    for (let byte = 0; byte < step; byte++) word |= (from[at + byte] ?? 0) << (8 * byte);
    access.write(offset, width, word >>> 0);
  }
}

/** The bytes of `value` in reverse order. */
export function swapBytes(value: number, width: Width): number {
  if (width === 8) return value;
  if (width === 16) return ((value & 0xff) << 8) | (value >>> 8);
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/**
 * The same registers in big-endian byte order: values are swapped, FIFOs and blocks are not (a stream keeps memory order,
 * as with `ioread16_rep` of Linux).
 */
export function bigEndian(access: RegisterAccess): RegisterAccess {
  const swap64 = (value: bigint) =>
    (BigInt(swapBytes(Number(value & 0xffff_ffffn), 32)) << 32n) | BigInt(swapBytes(Number(value >> 32n), 32));
  const view: RegisterAccess = {
    read: (offset, width) => swapBytes(access.read(offset, width), width),
    write: (offset, width, value) => access.write(offset, width, swapBytes(value, width)),
    readFifo: (offset, width, into) =>
      access.readFifo === undefined
        ? readFifoByWords(access, offset, width, into)
        : access.readFifo(offset, width, into),
    writeFifo: (offset, width, from) =>
      access.writeFifo === undefined
        ? writeFifoByWords(access, offset, width, from)
        : access.writeFifo(offset, width, from),
    barrier: () => access.barrier?.(),
  };
  const { sequence, read64, write64, readBlock, writeBlock } = access;
  if (readBlock !== undefined) view.readBlock = (offset, into) => readBlock.call(access, offset, into);
  if (writeBlock !== undefined) view.writeBlock = (offset, from) => writeBlock.call(access, offset, from);
  if (sequence !== undefined) view.sequence = (ops, results) => swapSequence(sequence.bind(access), ops, results);
  if (read64 !== undefined) view.read64 = (offset) => swap64(read64.call(access, offset));
  if (write64 !== undefined) view.write64 = (offset, value) => write64.call(access, offset, swap64(value));
  return view;
}

function swapSequence(
  sequence: NonNullable<RegisterAccess['sequence']>,
  ops: readonly RegisterOp[],
  results: number[],
): void {
  const swapped = ops.map((op) => (op.kind === 'write' ? { ...op, value: swapBytes(op.value, op.width) } : op));
  const raw: number[] = [];
  sequence(swapped, raw);
  const reads = ops.filter((op) => op.kind === 'read');
  for (const [index, { width }] of reads.entries()) results.push(swapBytes(raw[index] ?? 0, width));
}
