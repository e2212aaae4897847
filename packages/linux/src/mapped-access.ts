import { DeviceError, hex, type RegisterAccess, type Width } from '@ring3/core';
import type { Accessor } from './accessor.ts';
import { STAGING_BYTES, type Window } from './window.ts';

// Reads go through WebAssembly's atomic loads, writes through plain typed-array stores of the exact width: what V8
// does to each of them is counted in exactness.test.ts. Private fields keep views from console.log and from
// assertions, which would read registers byte by byte to print them.

/** Exact accesses to the registers in a window. */
export class MappedAccess implements RegisterAccess {
  #accessor: Accessor;
  /** Byte address of the first register. */
  readonly #base: number;
  #u8: Uint8Array;
  #u16: Uint16Array;
  #u32: Uint32Array;
  readonly #staging: Uint8Array;
  /** The part of `#staging` that the last FIFO or block took: most drivers move one size only. */
  #staged: Uint8Array;

  constructor({ memory, start }: Window, leadBytes: number) {
    this.#accessor = memory.accessor;
    this.#base = start + leadBytes;
    this.#u8 = new Uint8Array(memory.buffer);
    this.#u16 = new Uint16Array(memory.buffer);
    this.#u32 = new Uint32Array(memory.buffer);
    this.#staging = memory.staging;
    this.#staged = memory.staging;
  }

  read(offset: number, width: Width): number {
    const at = this.#base + offset;
    if (width === 32) return this.#accessor.read32(at) >>> 0;
    return width === 16 ? this.#accessor.read16(at) : this.#accessor.read8(at);
  }

  write(offset: number, width: Width, value: number): void {
    const at = this.#base + offset;
    if (width === 32) this.#u32[at >>> 2] = value;
    else if (width === 16) this.#u16[at >>> 1] = value;
    else this.#u8[at] = value;
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    const at = this.#base + offset;
    for (let done = 0; done < into.length; done += STAGING_BYTES) {
      const staged = this.#stage(into.length - done);
      if (width === 16) this.#accessor.readFifo16(at, 0, staged.length);
      else if (width === 32) this.#accessor.readFifo32(at, 0, staged.length);
      else this.#accessor.readFifo8(at, 0, staged.length);
      into.set(staged, done);
    }
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    const at = this.#base + offset;
    for (let done = 0; done < from.length; done += STAGING_BYTES) {
      const length = this.#fill(from, done);
      if (width === 16) this.#accessor.writeFifo16(at, 0, length);
      else if (width === 32) this.#accessor.writeFifo32(at, 0, length);
      else this.#accessor.writeFifo8(at, 0, length);
    }
  }

  readBlock(offset: number, into: Uint8Array): void {
    const at = this.#base + offset;
    for (let done = 0; done < into.length; done += STAGING_BYTES) {
      const staged = this.#stage(into.length - done);
      this.#accessor.readBlock(at + done, 0, staged.length);
      into.set(staged, done);
    }
  }

  writeBlock(offset: number, from: Uint8Array): void {
    const at = this.#base + offset;
    for (let done = 0; done < from.length; done += STAGING_BYTES) {
      this.#accessor.writeBlock(at + done, 0, this.#fill(from, done));
    }
  }

  read64(offset: number): bigint {
    return BigInt.asUintN(64, this.#accessor.read64(this.#aligned64(offset)));
  }

  write64(offset: number, value: bigint): void {
    this.#accessor.write64(this.#aligned64(offset), value);
  }

  barrier(): void {
    this.#accessor.barrier();
  }

  /** From now on reads are zeros and writes go nowhere, also when another device takes the window. */
  retire(): void {
    this.#accessor = RETIRED;
    this.#u8 = new Uint8Array(0);
    this.#u16 = new Uint16Array(0);
    this.#u32 = new Uint32Array(0);
    this.#staged = new Uint8Array(0);
  }

  #aligned64(offset: number): number {
    const at = this.#base + offset;
    if (at % 8 === 0) return at;
    throw new RangeError(`a 64-bit access at ${hex(offset)} is not aligned: the registers begin at an odd 32-bit word`);
  }

  /** The first `remaining` bytes of the staging area, or all of it. */
  #stage(remaining: number): Uint8Array {
    const length = Math.min(remaining, STAGING_BYTES);
    if (this.#staged.length !== length) {
      const area = this.#accessor === RETIRED ? new Uint8Array(STAGING_BYTES) : this.#staging;
      this.#staged = area.subarray(0, length);
    }
    return this.#staged;
  }

  /** Puts the next part of `from` into the staging area; its length. */
  #fill(from: Uint8Array, done: number): number {
    const whole = done === 0 && from.length <= STAGING_BYTES;
    const part = whole ? from : from.subarray(done, done + STAGING_BYTES);
    this.#staging.set(part);
    return part.length;
  }
}

/** A store into a page that is mapped for reading only would end the process, so these refuse. */
export class ReadOnlyMappedAccess extends MappedAccess {
  readonly #name: string;

  constructor(window: Window, leadBytes: number, name: string) {
    super(window, leadBytes);
    this.#name = name;
  }

  override write(): void {
    this.#refuse();
  }

  override writeFifo(): void {
    this.#refuse();
  }

  override writeBlock(): void {
    this.#refuse();
  }

  override write64(): void {
    this.#refuse();
  }

  #refuse(): never {
    throw new DeviceError(
      'permission',
      `${this.#name}: a write to registers that are mapped for reading only; map them writable`,
    );
  }
}

const nothing = () => {};
const RETIRED: Accessor = {
  read8: () => 0,
  read16: () => 0,
  read32: () => 0,
  read64: () => 0n,
  write64: nothing,
  readFifo8: nothing,
  readFifo16: nothing,
  readFifo32: nothing,
  writeFifo8: nothing,
  writeFifo16: nothing,
  writeFifo32: nothing,
  readBlock: nothing,
  writeBlock: nothing,
  barrier: nothing,
};
