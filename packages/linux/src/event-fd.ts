import { closeSync, readSync, writeSync } from 'node:fs';
import { libc } from './libc.ts';

/** `EFD_CLOEXEC | EFD_NONBLOCK`. */
const FLAGS = 0o2004000;

/** A counter of the kernel that can be waited for: readable while it is not 0. */
export interface EventFd {
  readonly fd: number;
  /** Adds `count` (default 1); whoever waits wakes up. After {@link close} nobody waits, and nothing happens. */
  signal(count?: bigint): void;
  /** Takes what was added since the last time, 0n if nothing was, or after {@link close}; does not block. */
  take(): bigint;
  close(): void;
}

/** Creates an eventfd (eventfd(2)): how one thread wakes another that waits in poll() or by {@link watchReadable}. */
export function createEventFd(): EventFd {
  const fd = Number(libc().tryCall('eventfd', [0, FLAGS]));
  const word = Buffer.alloc(8);
  // The number of a closed descriptor may be that of any other file.
  let open = true;
  return {
    fd,
    signal(count = 1n) {
      if (!open) return;
      word.writeBigUInt64LE(count);
      writeSync(fd, word);
    },
    take() {
      if (!open) return 0n;
      try {
        readSync(fd, word);
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0n;
        throw error;
      }
      return word.readBigUInt64LE();
    },
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
