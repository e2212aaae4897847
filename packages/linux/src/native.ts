import { createRequire } from 'node:module';
import process from 'node:process';
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads';
import { DeviceError } from '@ring3/core';
import type { DataType, FieldType, PointerType } from 'ffi-rs';
import { SystemCallError } from './system-call-error.ts';

// The one file that knows ffi-rs. Its traps, each with a test in native.test.ts:
// - The first use of the library and of each symbol is not thread-safe: both happen on the main thread (`warmUp`).
// - errno is stale after a success: it is looked at only where the function says "failed".
// - A 32-bit number out of range becomes 0 in silence, a 64-bit one loses bits above 2^53: both are checked, and 64
//   bits are bigint always.
// - MAP_FAILED is no null pointer: addresses are bigint, -1n is the failure.

/** How an argument or a result crosses. `bytes`: the address of a Uint8Array, which stays where it is during the call. */
export type NativeType = 'i32' | 'u32' | 'i64' | 'bytes' | 'string';

/** What crosses: number for 32 bits, bigint for 64. */
export type NativeValue = number | bigint | Uint8Array | string;

/** A function of the C library or of a shared object of ours. */
export interface Signature {
  /** Its name in the shared object, where a function is called in more than one way. Default: the key. */
  readonly symbol?: string;
  readonly returns: 'i32' | 'i64';
  readonly takes: readonly NativeType[];
  /** Arguments with which a call changes nothing: the first use of a symbol, on the main thread. */
  readonly harmless: readonly NativeValue[];
}

/** A JavaScript function with an address, for C. */
export interface NativeCallback {
  readonly address: bigint;
  /** C must not call it any more. What C called before may still be delivered. */
  free(): void;
}

type Ffi = typeof import('ffi-rs');

/** `DataType` of ffi-rs; a const enum would not be erasable. */
const TYPES: Readonly<Record<NativeType, number>> = { i32: 1, u32: 20, i64: 16, bytes: 10, string: 0 };

/** More of `DataType` and `PointerType`, for callbacks. */
const I64 = 8;
const VOID = 7;
const RUST_POINTER = 0;

const READY = 'ring3.native';
let ffi: Ffi | undefined;
const opened = new Set<string>();

/** A shared object whose functions were called once; all further calls go through {@link call}. */
export class NativeLibrary<Name extends string> {
  readonly #name: string;
  readonly #signatures: Readonly<Record<Name, Signature>>;

  /**
   * Opens a shared object. In a worker it must have been opened on the main thread before the worker was started.
   * @throws DeviceError `unsupported` where ffi-rs has no binary for this machine, or the shared object does not load.
   * @param path `''` for the C library and everything else that the process has loaded.
   */
  constructor(name: string, path: string, signatures: Readonly<Record<Name, Signature>>) {
    this.#name = name;
    this.#signatures = signatures;
    if (opened.has(name)) return;
    if (!isMainThread && getEnvironmentData(`${READY}.${name}`) !== true) {
      throw new Error(
        `the native library ${name} is used first in a worker: open it on the main thread before the worker is started (its first use is not thread-safe)`,
      );
    }
    ffi ??= loadFfi();
    try {
      ffi.open({ library: name, path });
      if (isMainThread) this.#warmUp();
    } catch (error) {
      throw new DeviceError('unsupported', `open the native library ${path || name}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    opened.add(name);
  }

  /** Calls a function and returns what it returned; errno is not looked at. */
  call(name: Name, ...values: readonly NativeValue[]): number | bigint {
    return this.#load(name, values).value;
  }

  /**
   * Calls a function that says with -1 that it failed.
   * @throws SystemCallError with the errno, and `path` for people.
   */
  tryCall(name: Name, values: readonly NativeValue[], path?: string): number | bigint {
    const { value, errno } = this.#load(name, values);
    if (value === -1 || value === -1n) throw new SystemCallError(this.#signatures[name].symbol ?? name, errno, path);
    return value;
  }

  #warmUp(): void {
    for (const name of Object.keys(this.#signatures) as Name[]) this.#load(name, this.#signatures[name].harmless);
    setEnvironmentData(`${READY}.${this.#name}`, true);
  }

  #load(name: Name, values: readonly NativeValue[]): { readonly value: number | bigint; readonly errno: number } {
    const { returns, takes, symbol = name } = this.#signatures[name];
    if (values.length !== takes.length) {
      throw new TypeError(`${name} takes ${takes.length} arguments, not ${values.length}`);
    }
    const result = (ffi as Ffi).load({
      library: this.#name,
      funcName: symbol,
      retType: TYPES[returns] as DataType,
      paramsType: takes.map((type) => TYPES[type] as FieldType),
      paramsValue: values.map((value, index) => checked(name, takes[index] as NativeType, value)),
      errno: true,
    }) as unknown as { value: number | bigint; errnoCode: number };
    return { value: result.value, errno: result.errnoCode };
  }
}

/** The signatures have addresses and sizes of 64 bits. */
const SMALL = ['arm', 'ia32', 'mips', 'mipsel'];

/** @throws DeviceError `unsupported`: says what this machine is and what would do. */
function loadFfi(): Ffi {
  if (SMALL.includes(process.arch)) {
    throw new DeviceError(
      'unsupported',
      `load ffi-rs: ${process.arch} has 32-bit addresses, @ring3/linux calls the kernel with 64-bit ones: use a 64-bit kernel and Node, or the simulator`,
    );
  }
  try {
    return createRequire(import.meta.url)('ffi-rs') as Ffi;
  } catch (error) {
    const machine = `${process.platform} ${process.arch}${libcOf()}`;
    throw new DeviceError(
      'unsupported',
      `load ffi-rs: it has no binary that loads on ${machine}; it has for linux x64 (glibc and musl) and arm64 (glibc 2.28 or later): use one of these (on Alpine on arm64: a Debian container), install without --no-optional, or run the devices on the simulator. It says: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function libcOf(): string {
  if (process.platform !== 'linux') return '';
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? ' with musl' : ` with glibc ${header.glibcVersionRuntime}`;
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

/**
 * Makes a function that C code may call on the main thread: `listener` runs later, in a turn of the event loop, in the
 * order of the calls. It keeps the process alive until it is freed. 64-bit arguments arrive as numbers: addresses fit.
 */
export function createNativeCallback(
  takes: readonly ('i32' | 'i64')[],
  listener: (...values: number[]) => void,
): NativeCallback {
  const { createPointer, freePointer, funcConstructor, restorePointer } = ffi as Ffi;
  // DataType.I64 here: an External argument aborts the process.
  const type = funcConstructor({
    paramsType: takes.map((name) => (name === 'i64' ? I64 : TYPES.i32) as FieldType),
    retType: VOID as DataType,
  });
  const pointers = createPointer({ paramsType: [type], paramsValue: [listener] });
  const [address] = restorePointer({ retType: [I64 as FieldType], paramsValue: pointers }) as number[];
  return {
    address: BigInt(address as number),
    free: () => freePointer({ paramsType: [type], paramsValue: pointers, pointerType: RUST_POINTER as PointerType }),
  };
}

function checked(name: string, type: NativeType, value: NativeValue): NativeValue {
  if (type === 'i64' && typeof value === 'bigint' && value >= -(1n << 63n) && value < 1n << 64n) {
    return BigInt.asIntN(64, value); // Addresses are unsigned.
  }
  if (type === 'i32' && typeof value === 'number' && (value | 0) === value) return value;
  if (type === 'u32' && typeof value === 'number' && value >>> 0 === value) return value;
  if (type === 'string' && typeof value === 'string' && !value.includes('\0')) return value;
  if (type === 'bytes' && value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new TypeError(`${name}: ${typeof value} ${String(value).slice(0, 40)} is not ${type}`);
}
