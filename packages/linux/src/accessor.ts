import { DeviceError } from '@ring3/core';
import { ACCESSOR_WASM } from './accessor-wasm.ts';

/** Exact accesses at byte addresses of one WebAssembly memory: the exports of accessor.wat. */
export interface Accessor {
  read8(at: number): number;
  read16(at: number): number;
  /** Signed: `>>> 0` makes the value of the register of it. */
  read32(at: number): number;
  read64(at: number): bigint;
  write64(at: number, value: bigint): void;
  readFifo8(at: number, to: number, end: number): void;
  readFifo16(at: number, to: number, end: number): void;
  readFifo32(at: number, to: number, end: number): void;
  writeFifo8(at: number, from: number, end: number): void;
  writeFifo16(at: number, from: number, end: number): void;
  writeFifo32(at: number, from: number, end: number): void;
  readBlock(at: number, to: number, end: number): void;
  writeBlock(at: number, from: number, end: number): void;
  barrier(): void;
}

/** What is used of the global; the types of Node have none, those of the DOM are not wanted. */
declare const WebAssembly:
  | {
      readonly Module: new (bytes: Uint8Array) => object;
      readonly Instance: new (module: object, imports: object) => { readonly exports: object };
      readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => Memory;
    }
  | undefined;

interface Memory {
  readonly buffer: ArrayBuffer;
}

let module: object | undefined;

/**
 * A memory of `pages` times 64 KiB with its accessor.
 * @throws DeviceError `unsupported` when the process may not reserve more address space, or has no WebAssembly.
 */
export function newAccessor(pages: number): { readonly accessor: Accessor; readonly buffer: ArrayBuffer } {
  if (typeof WebAssembly === 'undefined') {
    throw new DeviceError(
      'unsupported',
      'registers are mapped over WebAssembly memory, which --jitless switches off: run Node without it',
    );
  }
  // Never grown: growing would move or detach what is mapped.
  const memory = reserve(() => new WebAssembly.Memory({ initial: pages, maximum: pages }));
  module ??= new WebAssembly.Module(Buffer.from(ACCESSOR_WASM, 'base64'));
  const { exports } = new WebAssembly.Instance(module, { ring3: { memory } });
  return { accessor: exports as Accessor, buffer: memory.buffer };
}

function reserve(memory: () => Memory): Memory {
  try {
    return memory();
  } catch (cause) {
    throw new DeviceError(
      'unsupported',
      'no address space for a mapping: V8 reserves about 10 GiB for each WebAssembly memory. Raise the limit (ulimit -v unlimited, LimitAS=infinity of systemd) or start Node with --disable-wasm-trap-handler, which reserves little',
      { cause },
    );
  }
}
