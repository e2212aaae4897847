import { DeviceError } from './device-error.ts';
import { hex } from './format.ts';
import {
  bigEndian,
  type RegisterAccess,
  type RegisterOp,
  readFifoByWords,
  type Width,
  writeFifoByWords,
} from './register-access.ts';
import { ALL_WIDTHS, type SpaceDescription } from './space-description.ts';

/**
 * Where registers live, whatever the bus, like the cookie of Linux's `iomap` (`ioread8` to `iowrite32_rep`).
 *
 * Every access is exact: one call is one access of that width, never elided, merged, torn or repeated. Range,
 * alignment, width and value are checked before the bus is touched. A write may be posted: its failure may show
 * at the next read.
 *
 * Every accessor throws `RangeError` for an offset or a value that does not fit and for a width that the device
 * does not take, and DeviceError `closed` after {@link close}.
 */
export class RegisterSpace {
  readonly description: SpaceDescription;
  readonly #access: RegisterAccess;
  /** The highest valid offset per width; -1 where nothing is valid, so that one comparison checks everything. */
  #last8: number;
  #last16: number;
  #last32: number;
  #closed: string | undefined;

  /** @throws RangeError for a size that is none, which would let every offset pass. */
  constructor(description: SpaceDescription, access: RegisterAccess) {
    if (!Number.isSafeInteger(description.sizeBytes) || description.sizeBytes < 0) {
      throw new RangeError(`${description.name}: ${description.sizeBytes} is not a size in bytes`);
    }
    this.description = description;
    this.#access = description.byteOrder === 'big' ? bigEndian(access) : access;
    const last = (width: Width) =>
      (description.widths ?? ALL_WIDTHS).includes(width) ? description.sizeBytes - width / 8 : -1;
    this.#last8 = last(8);
    this.#last16 = last(16);
    this.#last32 = last(32);
  }

  /** Length in bytes. */
  get sizeBytes(): number {
    return this.description.sizeBytes;
  }

  read8(offset: number): number {
    if (offset >>> 0 !== offset || offset > this.#last8) this.#refuse(offset, 8);
    return this.#access.read(offset, 8);
  }

  read16(offset: number): number {
    if (offset >>> 0 !== offset || offset > this.#last16 || (offset & 1) !== 0) this.#refuse(offset, 16);
    return this.#access.read(offset, 16);
  }

  read32(offset: number): number {
    if (offset >>> 0 !== offset || offset > this.#last32 || (offset & 3) !== 0) this.#refuse(offset, 32);
    return this.#access.read(offset, 32);
  }

  write8(offset: number, value: number): void {
    if (offset >>> 0 !== offset || offset > this.#last8) this.#refuse(offset, 8);
    if ((value & 0xff) !== value) this.#refuseValue(offset, value, 8);
    this.#access.write(offset, 8, value);
  }

  write16(offset: number, value: number): void {
    if (offset >>> 0 !== offset || offset > this.#last16 || (offset & 1) !== 0) this.#refuse(offset, 16);
    if ((value & 0xffff) !== value) this.#refuseValue(offset, value, 16);
    this.#access.write(offset, 16, value);
  }

  write32(offset: number, value: number): void {
    if (offset >>> 0 !== offset || offset > this.#last32 || (offset & 3) !== 0) this.#refuse(offset, 32);
    if (value >>> 0 !== value) this.#refuseValue(offset, value, 32);
    this.#access.write(offset, 32, value);
  }

  /** Fills `into` by 8-bit reads of one register. */
  readFifo8(offset: number, into: Uint8Array): void {
    this.#readFifo(offset, 8, into);
  }

  /** Fills `into` by 16-bit reads of one register; the low byte of each word comes first. The length is even. */
  readFifo16(offset: number, into: Uint8Array): void {
    this.#readFifo(offset, 16, into);
  }

  /** Fills `into` by 32-bit reads of one register; the low byte of each word comes first. The length is a multiple of 4. */
  readFifo32(offset: number, into: Uint8Array): void {
    this.#readFifo(offset, 32, into);
  }

  writeFifo8(offset: number, from: Uint8Array): void {
    this.#writeFifo(offset, 8, from);
  }

  writeFifo16(offset: number, from: Uint8Array): void {
    this.#writeFifo(offset, 16, from);
  }

  writeFifo32(offset: number, from: Uint8Array): void {
    this.#writeFifo(offset, 32, from);
  }

  /**
   * Does the accesses in order and returns what the reads saw, in order: one round trip where the bus is far away.
   * All are checked before the first is done.
   */
  sequence(ops: readonly RegisterOp[]): number[] {
    for (const op of ops) this.#checkOp(op);
    const results: number[] = [];
    if (this.#access.sequence !== undefined) {
      this.#access.sequence(ops, results);
      return results;
    }
    for (const op of ops) {
      if (op.kind === 'read') results.push(this.#access.read(op.offset, op.width));
      else this.#access.write(op.offset, op.width, op.value);
    }
    return results;
  }

  /**
   * Makes sure that writes have reached the device, by a read of the register that is safe to read.
   * @throws DeviceError `unsupported` when the description names no such register.
   */
  flush(): void {
    const safe = this.description.flush;
    if (safe === undefined) {
      throw new DeviceError(
        'unsupported',
        `${this.description.name}: no register is named as safe to read back; name one in the description (flush)`,
      );
    }
    this.sequence([{ kind: 'read', offset: safe.offset, width: safe.width }]);
  }

  /** Orders accesses to memory (DMA buffers) against accesses to the device, in both directions. */
  barrier(): void {
    this.#access.barrier?.();
  }

  /** A read before everything that follows: what the device wrote to memory before it answered is seen (`ioread8`). */
  readOrdered8(offset: number): number {
    const value = this.read8(offset);
    this.barrier();
    return value;
  }

  readOrdered16(offset: number): number {
    const value = this.read16(offset);
    this.barrier();
    return value;
  }

  readOrdered32(offset: number): number {
    const value = this.read32(offset);
    this.barrier();
    return value;
  }

  /** A write after everything before it: the device finds in memory what was put there, as a doorbell needs (`iowrite8`). */
  writeOrdered8(offset: number, value: number): void {
    this.barrier();
    this.write8(offset, value);
  }

  writeOrdered16(offset: number, value: number): void {
    this.barrier();
    this.write16(offset, value);
  }

  writeOrdered32(offset: number, value: number): void {
    this.barrier();
    this.write32(offset, value);
  }

  /** Ends the use of this space: every later access throws. Who opened the space unmaps it after that. */
  close(reason = 'closed'): void {
    this.#closed ??= reason;
    this.#last8 = -1;
    this.#last16 = -1;
    this.#last32 = -1;
  }

  /** The access below, for conveniences of subclasses; checked by {@link checkRange} first. */
  protected get access(): RegisterAccess {
    return this.#access;
  }

  /** Refuses what does not lie inside the space; for conveniences of subclasses. */
  protected checkRange(offset: number, lengthBytes: number, alignment: number): void {
    if (this.#closed !== undefined) throw this.#closedError();
    if (
      !Number.isSafeInteger(offset) ||
      offset < 0 ||
      offset + lengthBytes > this.sizeBytes ||
      offset % alignment !== 0
    ) {
      throw new RangeError(
        `${this.description.name}: ${lengthBytes} bytes at ${at(offset)} do not fit: the space has ${hex(this.sizeBytes)} bytes, alignment ${alignment}`,
      );
    }
  }

  /** Refuses a width that the device does not take; for conveniences of subclasses. */
  protected checkWidth(offset: number, width: Width): void {
    const { name, widths = ALL_WIDTHS } = this.description;
    if (widths.includes(width)) return;
    throw new RangeError(
      `${name}: the device takes no ${width}-bit access (at ${at(offset)}), only ${widths.join(', ')} bits`,
    );
  }

  /** What a person sees; no register is read for it. */
  toString(): string {
    const { name, start, sizeBytes, memoryType } = this.description;
    const where = start === undefined ? '' : ` at ${hex(start)}`;
    const state = this.#closed === undefined ? '' : `, ${this.#closed}`;
    return `${this.constructor.name} ${name}${where}, ${hex(sizeBytes)} bytes, ${memoryType}${state}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #readFifo(offset: number, width: Width, into: Uint8Array): void {
    this.#checkFifo(offset, width, into.length);
    if (this.#access.readFifo === undefined) readFifoByWords(this.#access, offset, width, into);
    else this.#access.readFifo(offset, width, into);
  }

  #writeFifo(offset: number, width: Width, from: Uint8Array): void {
    this.#checkFifo(offset, width, from.length);
    if (this.#access.writeFifo === undefined) writeFifoByWords(this.#access, offset, width, from);
    else this.#access.writeFifo(offset, width, from);
  }

  #checkFifo(offset: number, width: Width, lengthBytes: number): void {
    this.#checkAt(offset, width);
    if (lengthBytes % (width / 8) !== 0) {
      throw new RangeError(
        `${this.description.name}: a FIFO of ${width}-bit words at ${at(offset)} cannot move ${lengthBytes} bytes: give a multiple of ${width / 8}`,
      );
    }
  }

  #checkOp(op: RegisterOp): void {
    this.#checkAt(op.offset, op.width);
    if (op.kind === 'write' && (op.value >>> 0 !== op.value || op.value > 2 ** op.width - 1)) {
      this.#refuseValue(op.offset, op.value, op.width);
    }
  }

  #checkAt(offset: number, width: Width): void {
    const last = width === 8 ? this.#last8 : width === 16 ? this.#last16 : this.#last32;
    if (offset >>> 0 !== offset || offset > last || (offset & (width / 8 - 1)) !== 0) this.#refuse(offset, width);
  }

  /** The slow path of every check: finds out why. */
  #refuse(offset: number, width: Width): void {
    if (this.#closed !== undefined) throw this.#closedError();
    this.checkWidth(offset, width);
    this.checkRange(offset, width / 8, width / 8);
    // What is left are offsets beyond 4 GiB in a space that large: valid, if rare.
  }

  #refuseValue(offset: number, value: number, width: Width): never {
    const remedy = value < 0 ? '; a negative number comes from | or << on bit 31: end the expression with >>> 0' : '';
    throw new RangeError(`${this.description.name}: ${value} does not fit ${width} bits at ${at(offset)}${remedy}`);
  }

  #closedError(): DeviceError {
    return new DeviceError('closed', `${this.description.name}: register access after the space was ${this.#closed}`);
  }
}

/** An offset in a message, whatever it is. */
export function at(offset: number): string {
  return Number.isSafeInteger(offset) && offset >= 0 ? hex(offset) : String(offset);
}
