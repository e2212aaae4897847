import { libc } from './libc.ts';
import { SystemCallError } from './system-call-error.ts';

/** Bytes that wait to be read (asm-generic/ioctls.h). */
const FIONREAD = 0x541bn;

/**
 * ioctl(2) with a buffer that the kernel reads or fills; its size is not checked by anyone.
 * @param request unsigned, as the headers have it: `0x541bn`.
 * @returns what the call returned, 0 for most.
 * @throws SystemCallError `ioctl`.
 */
export function ioctl(fd: number, request: bigint, argument: Uint8Array): number {
  return Number(
    libc().tryCall('ioctl', [fd, request, argument], `file descriptor ${fd}, request 0x${request.toString(16)}`),
  );
}

/** How many bytes wait to be read; 0 for a descriptor that does not tell. */
export function bytesWaiting(fd: number): number {
  const count = Buffer.alloc(4);
  try {
    ioctl(fd, FIONREAD, count);
  } catch (error) {
    if (error instanceof SystemCallError) return 0;
    throw error;
  }
  return count.readInt32LE();
}
