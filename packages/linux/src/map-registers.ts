import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { endianness } from 'node:os';
import { DeviceError, hex, type RegisterAccess } from '@ring3/core';
import {
  libc,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_READ_WRITE,
  pageSizeBytes,
} from './libc.ts';
import { MappedAccess, ReadOnlyMappedAccess } from './mapped-access.ts';
import { SystemCallError } from './system-call-error.ts';
import { giveWindow, LARGEST_WINDOW, takeWindow, usedWindowBytes, type Window } from './window.ts';

/** Which part of which file to map. */
export interface MapOptions {
  /** A device node or a file: `/dev/uio0`, `/sys/bus/pci/devices/0000:00:04.0/resource0`, `/dev/mem`. */
  readonly path: string;
  /** Where the mapping begins in the file: a multiple of the page size. */
  readonly fileOffset: bigint;
  /** Bytes between the start of the mapping and the first register: a multiple of 4. */
  readonly leadBytes: number;
  /** Size of the register range. */
  readonly sizeBytes: number;
  /** Bytes to map where the file refuses whole pages beyond its end. Default: lead and size, rounded up to pages. */
  readonly lengthBytes?: number;
  /** `false` maps for reading only; a write is then refused. Default: `true`. */
  readonly writable?: boolean;
  /** Opens with O_SYNC: uncached memory at `/dev/mem`. Default: `false`. */
  readonly syncOpen?: boolean;
}

/** Registers of a device in the memory of this process. */
export interface MappedRegisters {
  /** Exact in every tier of V8. After {@link close} it reads zeros. */
  readonly access: RegisterAccess;
  readonly sizeBytes: number;
  /** Unmaps; a second call does nothing. @throws SystemCallError `mmap` when the kernel refuses (no memory). */
  close(): void;
}

/**
 * Maps registers, `MAP_SHARED`. The mapping lives until `close()`, whether or not something refers to it, and no longer
 * than the thread that made it. Also in a worker, when the main thread has mapped something before the worker began.
 * A device that goes away can answer an access with SIGBUS, which ends the process.
 * @throws SystemCallError `open` or `mmap` with the errno of the kernel.
 * @throws RangeError for numbers that no mapping can have.
 * @throws DeviceError `unsupported` on a 32-bit or big-endian host, or when no address space is left.
 */
export function mapRegisters(options: MapOptions): MappedRegisters {
  refuseHost(endianness(), process.arch);
  check(options);
  return new Mapping(options);
}

/** The pages that hold `sizeBytes` bytes from address or file offset `start`. */
export function pageSpan(
  start: bigint,
  sizeBytes: number,
  pageBytes: number,
): { readonly fileOffset: bigint; readonly leadBytes: number; readonly lengthBytes: number } {
  const leadBytes = Number(start % BigInt(pageBytes));
  return { fileOffset: start - BigInt(leadBytes), leadBytes, lengthBytes: roundUp(leadBytes + sizeBytes, pageBytes) };
}

/** How many bytes this thread has mapped now, in whole pages. */
export function mappedBytes(): number {
  return usedWindowBytes();
}

/** @throws DeviceError `unsupported` on a host whose registers would be read wrongly. */
export function refuseHost(byteOrder: string, arch: string): void {
  if (byteOrder === 'BE') {
    throw new DeviceError(
      'unsupported',
      `${arch} is a big-endian host: mapped registers need a little-endian one, such as x64 or arm64`,
    );
  }
  if (arch === 'arm' || arch === 'ia32') {
    throw new DeviceError('unsupported', `${arch} is a 32-bit host: mapped registers need a 64-bit one, x64 or arm64`);
  }
}

class Mapping implements MappedRegisters {
  readonly sizeBytes: number;
  readonly #name: string;
  readonly #access: MappedAccess;
  readonly #window: Window;
  #open = true;

  constructor(options: MapOptions) {
    const { path, fileOffset, leadBytes, sizeBytes, writable = true } = options;
    this.sizeBytes = sizeBytes;
    this.#name = `${path} at ${hex(fileOffset + BigInt(leadBytes))}`;
    this.#window = mapped(options);
    this.#access = writable
      ? new MappedAccess(this.#window, leadBytes)
      : new ReadOnlyMappedAccess(this.#window, leadBytes, this.#name);
  }

  get access(): RegisterAccess {
    return this.#access;
  }

  close(): void {
    if (!this.#open) return;
    this.#access.retire();
    mapZeros(this.#window);
    this.#open = false;
    giveWindow(this.#window);
  }

  /** What a person sees; no register is read for it. */
  toString(): string {
    return `MappedRegisters ${this.#name}, ${hex(this.sizeBytes)} bytes${this.#open ? '' : ', closed'}`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function mapped(options: MapOptions): Window {
  const { path, fileOffset, leadBytes, sizeBytes, writable = true, syncOpen = false } = options;
  const wanted = options.lengthBytes ?? leadBytes + sizeBytes;
  const fd = open(path, (writable ? constants.O_RDWR : constants.O_RDONLY) | (syncOpen ? constants.O_SYNC : 0));
  try {
    refuseShortFile(fd, options);
    const protection = writable ? PROT_READ_WRITE : PROT_READ;
    const length = BigInt(options.lengthBytes ?? roundUp(wanted, pageSizeBytes()));
    // With MAP_FIXED the kernel removes what was there before it asks the driver. If that says no there is a hole in
    // memory that V8 believes to own, into which any thread may map. So the driver is asked elsewhere first.
    const probe = libc().tryCall('mmap64', [0n, length, protection, MAP_SHARED, fd, fileOffset], path) as bigint;
    libc().tryCall('munmap', [probe, length]);
    const window = takeWindow(roundUp(wanted, pageSizeBytes()));
    try {
      const target = bytesOf(window).subarray(0, Number(length));
      libc().tryCall('mmap', [target, length, protection, MAP_SHARED | MAP_FIXED, fd, fileOffset], path);
    } catch (error) {
      mapZeros(window);
      giveWindow(window);
      throw error;
    }
    return window;
  } catch (error) {
    throw asMmap(error);
  } finally {
    closeSync(fd); // The mapping keeps the file open.
  }
}

/** Pages beyond the end of a file can be mapped, but an access to them is SIGBUS. */
function refuseShortFile(fd: number, { path, fileOffset, leadBytes, sizeBytes }: MapOptions): void {
  const file = fstatSync(fd);
  const end = Number(fileOffset) + leadBytes + sizeBytes;
  if (file.isFile() && end > file.size) {
    throw new RangeError(`${path}: registers up to ${hex(end)}, but the file has only ${hex(file.size)} bytes`);
  }
}

function mapZeros(window: Window): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  libc().tryCall('mmap', [bytesOf(window), BigInt(window.lengthBytes), PROT_READ_WRITE, flags, -1, 0n]);
}

function bytesOf({ memory, start, lengthBytes }: Window): Uint8Array {
  return new Uint8Array(memory.buffer, start, lengthBytes);
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw errno === undefined ? error : new SystemCallError('open', -errno, path);
  }
}

/** People know the call as mmap. */
function asMmap(error: unknown): unknown {
  if (!(error instanceof SystemCallError) || error.call !== 'mmap64') return error;
  return new SystemCallError('mmap', error.errno, error.path);
}

function check({ path, fileOffset, leadBytes, sizeBytes, lengthBytes }: MapOptions): void {
  const page = BigInt(pageSizeBytes());
  if (fileOffset < 0n || fileOffset % page !== 0n) {
    throw new RangeError(`${path}: file offset ${fileOffset} is not a multiple of the page size ${page}`);
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    throw new RangeError(`${path}: ${sizeBytes} is not a size in bytes`);
  }
  if (!Number.isSafeInteger(leadBytes) || leadBytes < 0 || leadBytes % 4 !== 0) {
    throw new RangeError(`${path}: registers ${leadBytes} bytes into a mapping: a multiple of 4 is needed`);
  }
  if (lengthBytes !== undefined && (!Number.isSafeInteger(lengthBytes) || lengthBytes < leadBytes + sizeBytes)) {
    throw new RangeError(`${path}: a mapping of ${lengthBytes} bytes does not hold ${leadBytes} + ${sizeBytes} bytes`);
  }
  const bytes = lengthBytes ?? leadBytes + sizeBytes;
  if (bytes > LARGEST_WINDOW) {
    throw new RangeError(`${path}: a mapping of ${hex(bytes)} bytes is too large: the limit is ${hex(LARGEST_WINDOW)}`);
  }
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
