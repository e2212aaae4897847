import { readSync, writeSync } from 'node:fs';
import { errnoOf } from '@ring3/linux';

// With a time limit (SO_RCVTIMEO) the kernel does not begin a call anew that a signal interrupts, as SIGCHLD does when QEMU
// is stopped. Source: signal(7), "Interruption of system calls and library functions by signal handlers".

/** Reads what has come, and waits where nothing has. @returns 0 at the end of the stream. @throws EAGAIN after the time limit. */
export function readSome(fd: number, into: Buffer): number {
  return uninterrupted(() => readSync(fd, into));
}

/** Writes all of it. @throws EAGAIN after the time limit, EPIPE. */
export function writeAll(fd: number, data: string | Buffer): void {
  const written = uninterrupted(() =>
    typeof data === 'string' ? writeSync(fd, data, null, 'latin1') : writeSync(fd, data),
  );
  if (written === data.length) return;
  writeAll(fd, typeof data === 'string' ? data.slice(written) : data.subarray(written));
}

function uninterrupted(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (errnoOf(error) !== 'EINTR') throw error;
    }
  }
}
