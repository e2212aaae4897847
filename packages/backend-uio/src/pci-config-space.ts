import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { DeviceError, hex, type Width } from '@ring3/core';
import { deviceErrorOf, errnoOf } from '@ring3/linux';

/** The largest configuration space, that of PCI Express. */
const MOST_BYTES = 4096;
/** What the kernel shows to everybody. Source: Linux, drivers/pci/pci-sysfs.c, `pci_read_config`. */
const PUBLIC_BYTES = 64;

const CLOSED = 'a udev rule must open it to this user (README of backend-uio)';

/**
 * Configuration space of a PCI function, through `config` of sysfs: little endian, each access one of its natural width.
 * All accessors throw RangeError for what does not fit, and DeviceError `permission` for what this process may not see
 * or write.
 */
export class PciConfigSpace {
  /** How many bytes this process can read. */
  readonly sizeBytes: number;
  /** Whether it could be opened for writing. */
  readonly writable: boolean;
  readonly #path: string;
  readonly #fd: number;
  readonly #word = new Uint8Array(4);
  readonly #view = new DataView(this.#word.buffer);
  #open = true;

  /**
   * @param path `config` of the function's folder.
   * @throws DeviceError `permission`, `not-found`.
   */
  constructor(path: string) {
    this.#path = path;
    const { fd, writable } = openConfig(path);
    this.#fd = fd;
    this.writable = writable;
    this.sizeBytes = readSync(fd, new Uint8Array(MOST_BYTES), 0, MOST_BYTES, 0);
  }

  read8(offset: number): number {
    this.#read(offset, 8);
    return this.#view.getUint8(0);
  }

  read16(offset: number): number {
    this.#read(offset, 16);
    return this.#view.getUint16(0, true);
  }

  read32(offset: number): number {
    this.#read(offset, 32);
    return this.#view.getUint32(0, true);
  }

  write8(offset: number, value: number): void {
    this.#view.setUint8(0, value);
    this.#write(offset, 8, value);
  }

  write16(offset: number, value: number): void {
    this.#view.setUint16(0, value, true);
    this.#write(offset, 16, value);
  }

  write32(offset: number, value: number): void {
    this.#view.setUint32(0, value, true);
    this.#write(offset, 32, value);
  }

  /** Ends the use; a second call does nothing. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.#fd);
  }

  #read(offset: number, width: Width): void {
    this.#check(offset, width);
    const done = this.#attempt(`reading ${width} bits at ${hex(offset)}`, () =>
      readSync(this.#fd, this.#word, 0, width / 8, offset),
    );
    if (done !== width / 8) {
      throw new DeviceError('gone', `${this.#path}: ${done} bytes at ${hex(offset)} instead of ${width / 8}`);
    }
  }

  #write(offset: number, width: Width, value: number): void {
    this.#check(offset, width);
    if (!Number.isInteger(value) || value < 0 || value > 2 ** width - 1) {
      throw new RangeError(`${this.#path}: ${value} does not fit ${width} bits at ${hex(offset)}`);
    }
    if (!this.writable) throw new DeviceError('permission', `${this.#path} is open for reading only: ${CLOSED}`);
    this.#attempt(`writing ${hex(value, width)} at ${hex(offset)}`, () =>
      writeSync(this.#fd, this.#word, 0, width / 8, offset),
    );
  }

  #check(offset: number, width: Width): void {
    if (!this.#open) throw new DeviceError('closed', `${this.#path} was closed`);
    const bytes = width / 8;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % bytes !== 0 || offset + bytes > MOST_BYTES) {
      throw new RangeError(`${this.#path}: ${width} bits at ${offset} are not in configuration space, or not aligned`);
    }
    if (offset + bytes <= this.sizeBytes) return;
    if (this.sizeBytes === PUBLIC_BYTES) {
      throw new DeviceError(
        'permission',
        `${this.#path}: ${width} bits at ${hex(offset)}: the kernel shows ${PUBLIC_BYTES} bytes to a process without CAP_SYS_ADMIN`,
      );
    }
    throw new RangeError(`${this.#path}: ${width} bits at ${hex(offset)}: it has ${hex(this.sizeBytes)} bytes`);
  }

  #attempt<T>(what: string, attempt: () => T): T {
    try {
      return attempt();
    } catch (error) {
      throw deviceErrorOf(error, what, {
        EPERM:
          'the kernel is locked down (Secure Boot): configuration space can only be read; VFIO is the way that stays',
        EROFS: 'sysfs is mounted for reading only (ProtectKernelTunables= of systemd)',
      });
    }
  }
}

function openConfig(path: string): { readonly fd: number; readonly writable: boolean } {
  try {
    return { fd: openSync(path, constants.O_RDWR), writable: true };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EACCES' && errno !== 'EROFS') throw deviceErrorOf(error, 'PCI configuration space');
  }
  try {
    return { fd: openSync(path, constants.O_RDONLY), writable: false };
  } catch (error) {
    throw deviceErrorOf(error, 'PCI configuration space', { EACCES: CLOSED });
  }
}
