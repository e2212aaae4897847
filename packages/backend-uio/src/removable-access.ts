import { type RegisterAccess, type RegisterOp, readFifoByWords, type Width, writeFifoByWords } from '@ring3/core';

/** A bus that nobody answers on: reads all ones, and writes go nowhere. */
const NOBODY: RegisterAccess = {
  read: (_offset, width) => ones(width),
  write: () => {},
  readFifo: (_offset, _width, into) => void into.fill(0xff),
  writeFifo: () => {},
  readBlock: (_offset, into) => void into.fill(0xff),
  writeBlock: () => {},
  sequence: (ops, results) => {
    for (const op of ops) if (op.kind === 'read') results.push(ones(op.width));
  },
  read64: () => 0xffff_ffff_ffff_ffffn,
  write64: () => {},
};

/**
 * Registers of a device that can go away: from then on it reads all ones, as a bus does, whatever the mapping would
 * give. Reads of all ones are reported, since a device that is gone looks like that first.
 */
export class RemovableAccess implements RegisterAccess {
  readonly #suspect: () => void;
  #inner: RegisterAccess;
  // Only where the bus has it in one access: a RegisterSpace looks for these.
  readonly read64?: (offset: number) => bigint;
  readonly write64?: (offset: number, value: bigint) => void;
  readonly readBlock?: (offset: number, into: Uint8Array) => void;
  readonly writeBlock?: (offset: number, from: Uint8Array) => void;
  readonly sequence?: (ops: readonly RegisterOp[], results: number[]) => void;

  constructor(inner: RegisterAccess, suspect: () => void) {
    this.#inner = inner;
    this.#suspect = suspect;
    if (inner.read64 !== undefined) this.read64 = (offset) => this.#inner.read64?.(offset) ?? 0n;
    if (inner.write64 !== undefined) this.write64 = (offset, value) => this.#inner.write64?.(offset, value);
    if (inner.readBlock !== undefined) this.readBlock = (offset, into) => this.#inner.readBlock?.(offset, into);
    if (inner.writeBlock !== undefined) this.writeBlock = (offset, from) => this.#inner.writeBlock?.(offset, from);
    if (inner.sequence !== undefined) this.sequence = (ops, results) => this.#inner.sequence?.(ops, results);
  }

  read(offset: number, width: Width): number {
    const value = this.#inner.read(offset, width);
    if (value === ones(width)) this.#suspect();
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    this.#inner.write(offset, width, value);
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    if (this.#inner.readFifo === undefined) readFifoByWords(this.#inner, offset, width, into);
    else this.#inner.readFifo(offset, width, into);
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    if (this.#inner.writeFifo === undefined) writeFifoByWords(this.#inner, offset, width, from);
    else this.#inner.writeFifo(offset, width, from);
  }

  barrier(): void {
    this.#inner.barrier?.();
  }

  /** The device is gone. */
  remove(): void {
    this.#inner = NOBODY;
  }
}

function ones(width: Width): number {
  return width === 32 ? 0xffff_ffff : width === 16 ? 0xffff : 0xff;
}
