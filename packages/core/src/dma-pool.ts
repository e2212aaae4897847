import { DeviceError } from './device-error.ts';
import type { DmaAllocator, DmaBuffer, DmaConstraints } from './dma.ts';
import { hex } from './format.ts';

/** A piece of memory with consecutive bus addresses, from which buffers are cut. */
export interface DmaArena {
  readonly busAddress: bigint;
  readonly bytes: Uint8Array;
  /** Missing where the processor's caches and the bus are coherent. */
  syncForDevice?(offset: number, lengthBytes: number): void;
  syncForCpu?(offset: number, lengthBytes: number): void;
}

const SMALLEST_ALIGNMENT = 4;

/** Cuts buffers out of arenas, first fit: what every backend with memory for DMA gives to its drivers. */
export class DmaPool implements DmaAllocator {
  readonly memory: string;
  readonly #arenas: readonly { readonly arena: DmaArena; readonly used: Used[] }[];

  constructor(memory: string, arenas: readonly DmaArena[]) {
    this.memory = memory;
    this.#arenas = arenas.map((arena) => ({ arena, used: [] }));
  }

  /** How many bytes are in use. */
  get usedBytes(): number {
    const sizes = this.#arenas.flatMap(({ used }) => used.map(({ start, end }) => end - start));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** @param released is called once, when the buffer is given back. */
  allocate(sizeBytes: number, constraints: DmaConstraints = {}, released: () => void = () => {}): DmaBuffer {
    const rules = checkRules(sizeBytes, constraints);
    for (const { arena, used } of this.#arenas) {
      const start = findFree(arena, used, sizeBytes, rules);
      if (start === undefined) continue;
      const piece = { start, end: start + sizeBytes };
      used.push(piece);
      used.sort((one, other) => one.start - other.start);
      arena.bytes.fill(0, piece.start, piece.end);
      return new PoolBuffer(arena, start, sizeBytes, () => {
        used.splice(used.indexOf(piece), 1);
        released();
      });
    }
    throw this.#noRoom(sizeBytes, rules);
  }

  /** The allocator of one device: it has a record of its buffers, and gives them back when the device is closed. */
  lend(): DmaLoan {
    return new DmaLoan(this);
  }

  #noRoom(sizeBytes: number, { alignment, boundary, addressBits }: Rules): DeviceError {
    const total = this.#arenas.reduce((sum, { arena }) => sum + arena.bytes.length, 0);
    const rules = [
      `alignment ${alignment}`,
      boundary === undefined ? undefined : `not across ${hex(boundary)}`,
      `${addressBits} address bits`,
    ].filter((rule) => rule !== undefined);
    return new DeviceError(
      'unsupported',
      `${this.memory}: no free piece of ${sizeBytes} bytes (${rules.join(', ')}): ${this.usedBytes} of ${total} bytes are in use, in ${this.#arenas.length} pieces of consecutive bus addresses; give the device more memory or release buffers`,
    );
  }
}

/** Memory of a {@link DmaPool} in the hands of one device. */
export class DmaLoan implements DmaAllocator {
  readonly memory: string;
  readonly #pool: DmaPool;
  readonly #buffers = new Set<DmaBuffer>();
  #closed: string | undefined;

  constructor(pool: DmaPool) {
    this.memory = pool.memory;
    this.#pool = pool;
  }

  allocate(sizeBytes: number, constraints?: DmaConstraints): DmaBuffer {
    if (this.#closed !== undefined) throw new DeviceError('closed', `${this.memory}: ${this.#closed}`);
    const buffer = this.#pool.allocate(sizeBytes, constraints, () => this.#buffers.delete(buffer));
    this.#buffers.add(buffer);
    return buffer;
  }

  /** How many buffers the device has. */
  get buffers(): number {
    return this.#buffers.size;
  }

  /** Gives all buffers back and refuses new ones; the device must be silent by now. */
  close(reason = 'the device was closed'): void {
    this.#closed ??= reason;
    for (const buffer of this.#buffers) buffer.release();
  }
}

interface Used {
  readonly start: number;
  readonly end: number;
}

interface Rules {
  readonly alignment: number;
  readonly boundary: number | undefined;
  readonly addressBits: number;
}

class PoolBuffer implements DmaBuffer {
  readonly bytes: Uint8Array;
  readonly busAddress: bigint;
  readonly #arena: DmaArena;
  readonly #start: number;
  #giveBack: (() => void) | undefined;

  constructor(arena: DmaArena, start: number, sizeBytes: number, giveBack: () => void) {
    this.bytes = arena.bytes.subarray(start, start + sizeBytes);
    this.busAddress = arena.busAddress + BigInt(start);
    this.#arena = arena;
    this.#start = start;
    this.#giveBack = giveBack;
  }

  syncForDevice(offset = 0, lengthBytes = this.bytes.length - offset): void {
    this.#check(offset, lengthBytes);
    this.#arena.syncForDevice?.(this.#start + offset, lengthBytes);
  }

  syncForCpu(offset = 0, lengthBytes = this.bytes.length - offset): void {
    this.#check(offset, lengthBytes);
    this.#arena.syncForCpu?.(this.#start + offset, lengthBytes);
  }

  release(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
  }

  /** What a person sees; the memory is not shown. */
  toString(): string {
    return `DmaBuffer at bus address ${hex(this.busAddress)}, ${this.bytes.length} bytes`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #check(offset: number, lengthBytes: number): void {
    const inside =
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(lengthBytes) &&
      offset >= 0 &&
      lengthBytes >= 0 &&
      offset + lengthBytes <= this.bytes.length;
    if (!inside) {
      throw new RangeError(`${this}: ${lengthBytes} bytes at ${offset} are not inside the buffer`);
    }
    if (this.#giveBack === undefined) throw new DeviceError('closed', `${this} was released`);
  }
}

function checkRules(sizeBytes: number, constraints: DmaConstraints): Rules {
  const { alignment = SMALLEST_ALIGNMENT, boundary, addressBits = 64 } = constraints;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    throw new RangeError(`a DMA buffer of ${sizeBytes} bytes: give a whole number of at least 1`);
  }
  if (!isPowerOfTwo(alignment)) throw new RangeError(`alignment ${alignment} is not a power of two`);
  if (boundary !== undefined && !isPowerOfTwo(boundary)) {
    throw new RangeError(`boundary ${boundary} is not a power of two`);
  }
  if (boundary !== undefined && boundary < sizeBytes) {
    throw new RangeError(`${sizeBytes} bytes always cross a multiple of ${boundary}: ask for several buffers`);
  }
  if (!Number.isInteger(addressBits) || addressBits < 1 || addressBits > 64) {
    throw new RangeError(`addressBits ${addressBits}: a bus address has 1 to 64 bits`);
  }
  return { alignment: Math.max(alignment, SMALLEST_ALIGNMENT), boundary, addressBits };
}

function isPowerOfTwo(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

/** The lowest offset in the arena that obeys the rules and overlaps nothing. */
function findFree(
  { busAddress, bytes }: DmaArena,
  used: readonly Used[],
  sizeBytes: number,
  { alignment, boundary, addressBits }: Rules,
): number | undefined {
  const size = BigInt(sizeBytes);
  const limit = 1n << BigInt(addressBits);
  let from = 0;
  for (const next of [...used, { start: bytes.length, end: bytes.length }]) {
    let address = roundUp(busAddress + BigInt(from), BigInt(alignment));
    if (boundary !== undefined) {
      const border = roundUp(address + 1n, BigInt(boundary));
      if (address + size > border) address = roundUp(border, BigInt(alignment));
    }
    const start = Number(address - busAddress);
    if (start + sizeBytes <= next.start && address + size <= limit) return start;
    from = next.end;
  }
  return undefined;
}

function roundUp(value: bigint, to: bigint): bigint {
  return ((value + to - 1n) / to) * to;
}
