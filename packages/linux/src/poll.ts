import { libc } from './libc.ts';
import { errnoOf } from './system-call-error.ts';
import type { WatchEvent } from './watch-readable.ts';

/** `struct pollfd`: int, short, short. */
const POLLFD_BYTES = 8;
const POLLIN = 0x01;
/** `POLLERR | POLLHUP | POLLNVAL`: reported without being asked for. */
const BROKEN = 0x38;

/** A descriptor that has something to say. */
export interface ReadyDescriptor {
  readonly fd: number;
  readonly event: WatchEvent;
}

/**
 * Waits in the calling thread until one of the descriptors is readable or broken (poll(2)): for a worker that does nothing
 * else. The main thread has {@link watchReadable}. A thread that waits without a limit cannot be terminated and holds up
 * the end of the process: give it the eventfd of {@link createEventFd} as one more descriptor, to be told to stop.
 * @param timeoutMs -1 without a limit, 0 only looks.
 * @returns what is ready; nothing when the time is over, or a signal came before.
 * @throws SystemCallError `poll`.
 */
export function poll(fds: readonly number[], timeoutMs: number): ReadyDescriptor[] {
  const set = Buffer.alloc(Math.max(1, fds.length) * POLLFD_BYTES);
  for (const [index, fd] of fds.entries()) {
    set.writeInt32LE(fd, index * POLLFD_BYTES);
    set.writeInt16LE(POLLIN, index * POLLFD_BYTES + 4);
  }
  try {
    libc().tryCall('poll', [set, BigInt(fds.length), timeoutMs]);
  } catch (error) {
    if (errnoOf(error) === 'EINTR') return [];
    throw error;
  }
  return fds.flatMap((fd, index): ReadyDescriptor[] => {
    const events = set.readInt16LE(index * POLLFD_BYTES + 6);
    if ((events & POLLIN) !== 0) return [{ fd, event: 'readable' }];
    return (events & BROKEN) === 0 ? [] : [{ fd, event: 'error' }];
  });
}
