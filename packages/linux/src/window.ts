import { type Accessor, newAccessor } from './accessor.ts';

/** The size of a WebAssembly page, and the largest page of a machine: windows may begin at each page of the machine. */
const WASM_PAGE = 0x1_0000;
/** One memory of this size takes all mappings of a usual machine: each memory costs about 10 GiB of address space. */
const POOL_BYTES = 0x100_0000;
/** Where loops in WebAssembly leave and find the words of FIFOs and blocks: the first page of each memory. */
export const STAGING_BYTES = 0x4000;
/** The largest mapping: 32-bit addresses reach 4 GiB. */
export const LARGEST_WINDOW = 0xffff_0000 - WASM_PAGE;

/** One WebAssembly memory, in which windows onto files lie. */
export interface WindowMemory {
  readonly accessor: Accessor;
  readonly buffer: ArrayBuffer;
  /** The first 16 KiB. */
  readonly staging: Uint8Array;
}

/** A place for a mapping: whole pages of the machine, zeros. */
export interface Window {
  readonly memory: WindowMemory;
  /** Byte address in the memory. */
  readonly start: number;
  readonly lengthBytes: number;
}

interface Pool extends WindowMemory {
  /** Windows in use, by rising address. */
  readonly used: Window[];
}

/** Holds the memories: V8 unmaps a memory, and what is mapped over it, when nothing refers to it any more. */
const pools = new Set<Pool>();

/**
 * Takes a window; a length beyond what the memories have gets a memory of its own.
 * @param lengthBytes a multiple of the machine's page size, up to {@link LARGEST_WINDOW}.
 * @throws DeviceError `unsupported` when the process may not reserve more address space.
 */
export function takeWindow(lengthBytes: number): Window {
  for (const pool of pools) {
    const window = firstFit(pool, lengthBytes);
    if (window !== undefined) return window;
  }
  const pool = reserve(Math.max(POOL_BYTES, roundUp(lengthBytes) + WASM_PAGE));
  pools.add(pool);
  return firstFit(pool, lengthBytes) as Window;
}

/** Gives a window back; it holds zeros again. */
export function giveWindow(window: Window): void {
  for (const pool of pools) {
    const index = pool.used.indexOf(window);
    if (index === -1) continue;
    pool.used.splice(index, 1);
    if (pool.used.length === 0 && pool.buffer.byteLength > POOL_BYTES) pools.delete(pool);
  }
}

/** The bytes of all windows in use. */
export function usedWindowBytes(): number {
  let bytes = 0;
  for (const { used } of pools) for (const window of used) bytes += window.lengthBytes;
  return bytes;
}

function firstFit(pool: Pool, lengthBytes: number): Window | undefined {
  let start = WASM_PAGE;
  let index = 0;
  for (const other of pool.used) {
    if (other.start - start >= lengthBytes) break;
    start = other.start + other.lengthBytes;
    index++;
  }
  if (start + lengthBytes > pool.buffer.byteLength) return undefined;
  const window = { memory: pool, start, lengthBytes };
  pool.used.splice(index, 0, window);
  return window;
}

function reserve(bytes: number): Pool {
  const { accessor, buffer } = newAccessor(bytes / WASM_PAGE);
  return { accessor, buffer, staging: new Uint8Array(buffer, 0, STAGING_BYTES), used: [] };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / WASM_PAGE) * WASM_PAGE;
}
