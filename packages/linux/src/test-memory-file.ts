import { closeSync, fstatSync, ftruncateSync } from 'node:fs';
import { libc, MFD_CLOEXEC } from './libc.ts';

/** A file in memory without a name in any folder. Holes get a page when something reads or writes them, and only then. */
export class MemoryFile {
  readonly fd: number;
  /** Good for open(2), as long as the file is open. */
  readonly path: string;

  constructor(sizeBytes: number) {
    this.fd = Number(libc().tryCall('memfd_create', ['ring3-registers', MFD_CLOEXEC]));
    this.path = `/proc/${process.pid}/fd/${this.fd}`;
    ftruncateSync(this.fd, sizeBytes);
  }

  /** How many bytes have been touched, in whole pages. */
  get touchedBytes(): number {
    return fstatSync(this.fd).blocks * 512;
  }

  close(): void {
    closeSync(this.fd);
  }
}
