import { closeSync, constants, fchmodSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError, hex } from '@ring3/core';
import { cannotSee } from './claim-directory.ts';
import { type ClaimedRange, describeRange } from './claim-text.ts';
import { lockRange, rangeHolder } from './lock-range.ts';
import { errnoOf } from './system-call-error.ts';

/** A range of bytes of a lock file. */
export interface Lock {
  readonly file: 'iomem.lock' | 'ioports.lock' | 'devices.lock';
  readonly start: bigint;
  readonly length: bigint;
  /** `memory febf1000-febf1fff`. */
  readonly what: string;
}

/** Offsets in files are signed 64-bit numbers: fcntl(2). */
const LAST_OFFSET = 2n ** 63n - 1n;

/**
 * The locks that stand for a device: its addresses are the offsets in the lock file of their address space. A device
 * without addresses is one byte in a file of its own, at an offset made of its name.
 * @throws DeviceError `unsupported` for addresses above 2^63-1; RangeError for a range that cannot be.
 */
export function locksOf(device: string, ranges: readonly ClaimedRange[]): readonly Lock[] {
  if (ranges.length > 0) return ranges.map((range) => lockOf(device, range)).sort(byPlace);
  // Loaded here: it takes milliseconds of every start, and few devices have no addresses.
  const digest = process
    .getBuiltinModule('node:crypto')
    .createHash('sha256')
    .update(device)
    .digest()
    .readBigUInt64BE(0);
  return [{ file: 'devices.lock', start: digest >> 1n, length: 1n, what: `device ${device}` }];
}

/** Locks of one claim. All are given back with {@link release}, or by the kernel when the process ends. */
export class HeldLocks {
  readonly #directory: string;
  readonly #mode: number;
  readonly #files = new Map<string, number>();

  constructor(directory: string, mode: number) {
    this.#directory = directory;
    this.#mode = mode;
  }

  /** Takes them one after the other. @returns the first that another claim holds. */
  take(locks: readonly Lock[]): Lock | undefined {
    return locks.find(({ file, start, length }) => !lockRange(this.#open(file), start, length));
  }

  release(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #open(file: Lock['file']): number {
    const fd = this.#files.get(file) ?? openLockFile(join(this.#directory, file), this.#mode);
    this.#files.set(file, fd);
    return fd;
  }
}

/**
 * The first lock that somebody holds in a directory that this process need not be able to write.
 * @throws DeviceError `permission` where it cannot be seen who holds what.
 */
export function findHeld(directory: string, locks: readonly Lock[]): Lock | undefined {
  return locks.find(({ file, start, length }) => {
    const fd = openIfThere(join(directory, file));
    if (fd === undefined) return false;
    try {
      return rangeHolder(fd, start, length) !== undefined;
    } finally {
      closeSync(fd);
    }
  });
}

function lockOf(device: string, range: ClaimedRange): Lock {
  const { kind, start, sizeBytes } = range;
  const last = start + BigInt(sizeBytes) - 1n;
  const limit = kind === 'memory' ? 2n ** 64n - 1n : 0xffffn;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0 || start < 0n || last > limit) {
    throw new RangeError(`${device}: ${sizeBytes} bytes at ${hex(start)} are not a range of ${kind} addresses`);
  }
  const what = describeRange(range);
  if (last > LAST_OFFSET) {
    throw new DeviceError(
      'unsupported',
      `${device}: ${what} lies above ${hex(LAST_OFFSET)}, the last address that can be claimed: claims are file locks`,
    );
  }
  return { file: kind === 'memory' ? 'iomem.lock' : 'ioports.lock', start, length: BigInt(sizeBytes), what };
}

/** In one order for everybody: of two that want the same, one gets all. */
function byPlace(a: Lock, b: Lock): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.start < b.start ? -1 : 1;
}

/** Node opens with O_CLOEXEC: a child that inherited the descriptor would hold the lock when this process is dead. */
function openLockFile(path: string, mode: number): number {
  try {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, mode);
    fchmodSync(fd, mode); // Whatever the umask: it is the group's file where the directory is.
    return fd;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    return openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw cannotSee(error);
  }
}
