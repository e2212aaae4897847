import { type DmaArena, DmaPool, type DmaResource } from '@ring3/core';

/** What memory the machine has for transfers of devices. */
export interface MemoryOptions {
  /** Default 8 MiB. */
  readonly sizeBytes: number;
  /**
   * Whether processor and devices always see the same. If not, each has a copy that only `syncForDevice` and `syncForCpu`
   * bring to the other side: a driver that forgets one of them works with old data, every time. Default: they do.
   */
  readonly coherent: boolean;
}

/** What a machine has unless it is told otherwise. */
export const DEFAULT_MEMORY: MemoryOptions = { sizeBytes: 8 * 2 ** 20, coherent: true };
/** Where the memory begins on the bus: above what a PC has at fixed places. */
const BASE = 0x1000_0000n;

/** The memory of the machine as far as devices reach it; nothing else of a computer's memory is simulated. */
export class SystemMemory {
  readonly resource: DmaResource;
  readonly #options: MemoryOptions;
  #made: MadeMemory | undefined;

  constructor(options: Partial<MemoryOptions> = {}) {
    this.#options = { ...DEFAULT_MEMORY, ...options };
    this.resource = describeMemory(this.#options);
  }

  /** Where buffers come from. */
  get pool(): DmaPool {
    return this.#memory.pool;
  }

  /** A device reads. @returns false, with all ones in `into`, where no memory answers. */
  read(busAddress: bigint, into: Uint8Array): boolean {
    const start = this.#offset(busAddress, into.length);
    if (start === undefined) into.fill(0xff);
    else into.set(this.#memory.device.subarray(start, start + into.length));
    return start !== undefined;
  }

  /** A device writes. @returns false, with nothing written, where no memory answers. */
  write(busAddress: bigint, from: Uint8Array): boolean {
    const start = this.#offset(busAddress, from.length);
    if (start !== undefined) this.#memory.device.set(from, start);
    return start !== undefined;
  }

  get #memory(): MadeMemory {
    this.#made ??= make(this.#options);
    return this.#made;
  }

  #offset(busAddress: bigint, lengthBytes: number): number | undefined {
    const offset = Number(busAddress - BASE);
    return offset < 0 || offset + lengthBytes > this.#options.sizeBytes ? undefined : offset;
  }
}

/** Memory as a description of a device names it. */
export function describeMemory({ coherent, sizeBytes }: MemoryOptions): DmaResource {
  return { memory: memoryWords(coherent), sizeBytes };
}

function memoryWords(coherent: boolean): string {
  return coherent ? 'simulated memory' : 'simulated memory, not coherent';
}

/** Made at the first use: most simulations transfer nothing, and megabytes that nobody uses are garbage all the same. */
interface MadeMemory {
  readonly pool: DmaPool;
  /** What devices see; the processor's own where the two are coherent. */
  readonly device: Uint8Array;
}

function make({ coherent, sizeBytes }: MemoryOptions): MadeMemory {
  const bytes = new Uint8Array(sizeBytes);
  const device = coherent ? bytes : new Uint8Array(sizeBytes);
  const arena = coherent ? { busAddress: BASE, bytes } : incoherent(bytes, device);
  return { device, pool: new DmaPool(memoryWords(coherent), [arena]) };
}

function incoherent(bytes: Uint8Array, device: Uint8Array): DmaArena {
  return {
    busAddress: BASE,
    bytes,
    syncForDevice: (offset, length) => device.set(bytes.subarray(offset, offset + length), offset),
    syncForCpu: (offset, length) => bytes.set(device.subarray(offset, offset + length), offset),
  };
}
