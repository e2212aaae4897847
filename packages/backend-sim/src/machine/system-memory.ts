import { type DmaArena, DmaPool, type DmaResource } from '@ring3/core';

/** What memory the machine has for transfers of devices. */
export interface MemoryOptions {
  /** Default 16 MiB. */
  readonly sizeBytes: number;
  /**
   * Whether processor and devices always see the same. If not, each has a copy that only `syncForDevice` and `syncForCpu`
   * bring to the other side: a driver that forgets one of them works with old data, every time. Default: they do.
   */
  readonly coherent: boolean;
}

/** What a machine has unless it is told otherwise. */
export const DEFAULT_MEMORY: MemoryOptions = { sizeBytes: 16 * 2 ** 20, coherent: true };
/** Where the memory begins on the bus: above what a PC has at fixed places. */
const BASE = 0x1000_0000n;

/** The memory of the machine as far as devices reach it; nothing else of a computer's memory is simulated. */
export class SystemMemory {
  readonly pool: DmaPool;
  readonly resource: DmaResource;
  /** What devices see; the processor's own where the two are coherent. */
  readonly #device: Uint8Array;

  constructor(options: Partial<MemoryOptions> = {}) {
    const { sizeBytes, coherent } = { ...DEFAULT_MEMORY, ...options };
    const bytes = new Uint8Array(sizeBytes);
    this.resource = describeMemory({ coherent, sizeBytes });
    this.#device = coherent ? bytes : new Uint8Array(sizeBytes);
    this.pool = new DmaPool(memoryWords(coherent), [
      coherent ? { busAddress: BASE, bytes } : incoherent(bytes, this.#device),
    ]);
  }

  /** A device reads. @returns false, with all ones in `into`, where no memory answers. */
  read(busAddress: bigint, into: Uint8Array): boolean {
    const start = this.#offset(busAddress, into.length);
    if (start === undefined) into.fill(0xff);
    else into.set(this.#device.subarray(start, start + into.length));
    return start !== undefined;
  }

  /** A device writes. @returns false, with nothing written, where no memory answers. */
  write(busAddress: bigint, from: Uint8Array): boolean {
    const start = this.#offset(busAddress, from.length);
    if (start !== undefined) this.#device.set(from, start);
    return start !== undefined;
  }

  #offset(busAddress: bigint, lengthBytes: number): number | undefined {
    const offset = Number(busAddress - BASE);
    return offset < 0 || offset + lengthBytes > this.#device.length ? undefined : offset;
  }
}

/** Memory as a description of a device names it. */
export function describeMemory({ coherent, sizeBytes }: MemoryOptions): DmaResource {
  return { memory: memoryWords(coherent), sizeBytes };
}

function memoryWords(coherent: boolean): string {
  return coherent ? 'simulated memory' : 'simulated memory, not coherent';
}

function incoherent(bytes: Uint8Array, device: Uint8Array): DmaArena {
  return {
    busAddress: BASE,
    bytes,
    syncForDevice: (offset, length) => device.set(bytes.subarray(offset, offset + length), offset),
    syncForCpu: (offset, length) => bytes.set(device.subarray(offset, offset + length), offset),
  };
}
