import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { hex, type RegisterAccess } from '@ring3/core';
import { libc, MAP_FIXED, MAP_SHARED, PROT_READ, PROT_READ_WRITE, pageSizeBytes } from './libc.ts';
import { MappedAccess, ReadOnlyMappedAccess } from './mapped-access.ts';
import { mapZeros, windowBytes } from './overlay.ts';
import { SystemCallError } from './system-call-error.ts';
import { giveWindow, takeWindow, type Window } from './window.ts';

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

/** Memory of a file in the memory of this process. */
export interface MappedMemory {
  /** Plain memory, for what is no register: loads may be merged or left out. After {@link close} it is somebody else's. */
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  /** Unmaps; a second call does nothing. @throws SystemCallError `mmap` when the kernel refuses (no memory). */
  close(): void;
}

/** One file in one window. */
export class Mapping implements MappedRegisters, MappedMemory {
  readonly sizeBytes: number;
  readonly #leadBytes: number;
  readonly #name: string;
  readonly #access: MappedAccess;
  readonly #window: Window;
  #open = true;

  constructor(options: MapOptions) {
    const { path, fileOffset, leadBytes, sizeBytes, writable = true } = options;
    this.sizeBytes = sizeBytes;
    this.#leadBytes = leadBytes;
    this.#name = `${path} at ${hex(fileOffset + BigInt(leadBytes))}`;
    this.#window = mapped(options);
    this.#access = writable
      ? new MappedAccess(this.#window, leadBytes)
      : new ReadOnlyMappedAccess(this.#window, leadBytes, this.#name);
  }

  get access(): RegisterAccess {
    return this.#access;
  }

  get bytes(): Uint8Array {
    return windowBytes(this.#window).subarray(this.#leadBytes, this.#leadBytes + this.sizeBytes);
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
    const probe = libc().tryCall('mmapAt', [0n, length, protection, MAP_SHARED, fd, fileOffset], path) as bigint;
    libc().tryCall('munmap', [probe, length]);
    const window = takeWindow(roundUp(wanted, pageSizeBytes()));
    try {
      const target = windowBytes(window).subarray(0, Number(length));
      libc().tryCall('mmap', [target, length, protection, MAP_SHARED | MAP_FIXED, fd, fileOffset], path);
    } catch (error) {
      mapZeros(window);
      giveWindow(window);
      throw error;
    }
    return window;
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

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    throw errno === undefined ? error : new SystemCallError('open', -errno, path);
  }
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
