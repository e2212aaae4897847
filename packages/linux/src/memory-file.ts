import { closeSync, ftruncateSync } from 'node:fs';
import { libc, MFD_CLOEXEC } from './libc.ts';

/**
 * A file in memory without a name in any folder: it is gone with the last process that has it open. Other programs open
 * it by `/proc/<pid>/fd/<number>`, or inherit the descriptor. The caller closes it.
 * @param name for people who look at /proc.
 * @throws SystemCallError `memfd_create`.
 */
export function createMemoryFile(name: string, sizeBytes: number): number {
  const fd = Number(libc().tryCall('memfd_create', [name, MFD_CLOEXEC]));
  try {
    ftruncateSync(fd, sizeBytes);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}
