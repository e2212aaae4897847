import { libc } from './libc.ts';
import { errnoOf } from './system-call-error.ts';

// fcntl.h of Linux: the same numbers on every machine that Node runs on. Open-file-description locks: they belong to the
// open file, not to the process, so that closing another descriptor of the same file does not drop them.
const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** Where a file ends at the latest. */
const LIMIT = 1n << 63n;

/** Bytes of a file: no file has to be that long. */
export interface LockedRange {
  readonly start: bigint;
  readonly length: bigint;
}

/** `struct flock` with 64-bit offsets: short type, short whence, (padding), start, length, pid. */
function flock(type: number, start: bigint, length: bigint): Buffer {
  if (start < 0n || length <= 0n || start + length > LIMIT) {
    throw new RangeError(
      `a lock of ${length} bytes at ${start}: start is 0 or more, length 1 or more, the end at most 2^63`,
    );
  }
  const lock = Buffer.alloc(32);
  lock.writeInt16LE(type, 0);
  lock.writeBigInt64LE(start, 8);
  // 0 is "to the end of what a file can have": that length alone has no room in 64 bits.
  lock.writeBigInt64LE(start + length === LIMIT ? 0n : length, 16);
  return lock;
}

function set(fd: number, type: number, start: bigint, length: bigint): boolean {
  const lock = flock(type, start, length);
  try {
    libc().tryCall('fcntl', [fd, F_OFD_SETLK, lock], `file descriptor ${fd}`);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EAGAIN' || errno === 'EACCES') return false;
    throw error;
  }
  return true;
}

/**
 * Locks a range of a file for this open file, against every other open of it (F_OFD_SETLK, fcntl(2)). Does not wait. The
 * kernel lets go of the lock when the last descriptor of this open is closed, also after kill -9; a child process that
 * inherits the descriptor keeps it, so open with O_CLOEXEC, as Node does.
 * @param fd open for writing.
 * @returns false where somebody else has a part of the range: see {@link rangeHolder}.
 * @throws SystemCallError `fcntl`, RangeError for a range beyond 63 bits.
 */
export function lockRange(fd: number, start: bigint, length: bigint): boolean {
  return set(fd, F_WRLCK, start, length);
}

/**
 * Lets go of a range, also of a part of what was locked.
 * @throws SystemCallError `fcntl`.
 */
export function unlockRange(fd: number, start: bigint, length: bigint): void {
  set(fd, F_UNLCK, start, length);
}

/**
 * The first lock of another open file that {@link lockRange} would run into, `undefined` where there is none. Who that
 * is the kernel does not tell.
 * @throws SystemCallError `fcntl`.
 */
export function rangeHolder(fd: number, start: bigint, length: bigint): LockedRange | undefined {
  const lock = flock(F_WRLCK, start, length);
  libc().tryCall('fcntl', [fd, F_OFD_GETLK, lock], `file descriptor ${fd}`);
  if (lock.readInt16LE(0) === F_UNLCK) return undefined;
  const found = { start: lock.readBigInt64LE(8), length: lock.readBigInt64LE(16) };
  return found.length === 0n ? { ...found, length: LIMIT - found.start } : found;
}
