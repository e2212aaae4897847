import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { DeviceError, hex, type RegisterAccess, type Width } from '@ring3/core';
import { checkPortRange, portsName } from './port-range.ts';
import { type LinuxRoots, linuxRoots } from './roots.ts';
import { deviceErrorOf, errnoOf } from './system-call-error.ts';

/** Registers behind a file of the kernel: every access is one system call. */
export interface FileAccess extends RegisterAccess {
  /** Closes the file; later accesses read all ones and write nothing. */
  close(): void;
}

const BAR_REMEDIES = {
  EACCES: 'resourceN belongs to root: give the process that file by a udev rule',
  EPERM: 'a kernel that is locked down (Secure Boot) refuses writes to I/O BARs',
  ENXIO: 'this processor has no ports',
};

const DEV_PORT_REMEDIES = {
  ENOENT: 'this kernel was built without CONFIG_DEVPORT, or /dev hides the node (PrivateDevices=)',
  EACCES: '/dev/port belongs to root',
  EPERM: 'give the process CAP_SYS_RAWIO; a kernel that is locked down (Secure Boot) refuses even then',
};

interface PortFile {
  readonly path: string;
  /** Where in the file register 0 is. */
  readonly position: number;
  readonly remedies: Readonly<Record<string, string>>;
  /** Widths that the file can do, and why no others. */
  readonly widths: readonly Width[];
  readonly widthsReason: string;
}

class FilePorts implements FileAccess {
  readonly #file: PortFile;
  readonly #word = Buffer.alloc(4);
  #fd: number | undefined;

  constructor(file: PortFile) {
    this.#file = file;
    try {
      this.#fd = openSync(file.path, 'r+');
    } catch (error) {
      throw deviceErrorOf(error, 'open ports', file.remedies);
    }
  }

  /** The size that the file tells, 0 for a device node. */
  sizeBytes(): number {
    return this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
  }

  read(offset: number, width: Width): number {
    const done = this.#access('read', offset, width);
    return done ? this.#word.readUIntLE(0, width / 8) : 2 ** width - 1;
  }

  write(offset: number, width: Width, value: number): void {
    this.#word.writeUInt32LE(value);
    this.#access('write', offset, width);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** False when the device is gone. */
  #access(kind: 'read' | 'write', offset: number, width: Width): boolean {
    const { path, position, remedies, widths, widthsReason } = this.#file;
    const what = `${kind} of ${width} bits at ${hex(offset)} of ${path}`;
    if (!widths.includes(width)) throw new DeviceError('unsupported', `${what}: ${widthsReason}`);
    if (this.#fd === undefined) return false;
    let done: number;
    try {
      const at = position + offset;
      done =
        kind === 'read'
          ? readSync(this.#fd, this.#word, 0, width / 8, at)
          : writeSync(this.#fd, this.#word, 0, width / 8, at);
    } catch (error) {
      if (errnoOf(error) === 'ENODEV') return false;
      throw deviceErrorOf(error, what, remedies);
    }
    if (done === width / 8) return true;
    throw new DeviceError(
      'fault',
      `${what}: ${done} bytes of ${width / 8} came through, the range is smaller than it was said to be`,
    );
  }
}

/**
 * Opens an I/O BAR of a PCI device through its `resourceN` file of sysfs: 8, 16 and 32 bits, one pread(2) or pwrite(2)
 * each, without ioperm. There is no block form: an ATA sector is 256 system calls. A device that is gone reads all ones.
 * @throws DeviceError `not-found`, `permission`; `config` where the file is smaller than `sizeBytes`. Accesses throw
 * `permission` where the kernel is locked down, as it refuses writes only then (PCI sysfs, pci_resource_io).
 */
export function portFileAccess(path: string, sizeBytes: number): FileAccess {
  const file = { path, position: 0, remedies: BAR_REMEDIES, widths: [8, 16, 32] as const, widthsReason: '' };
  const access = new FilePorts(file);
  const size = access.sizeBytes();
  if (size >= sizeBytes) return access;
  access.close();
  throw new DeviceError('config', `open ports ${path}: ${sizeBytes} bytes are asked for, it has ${size}`);
}

/**
 * Opens ports through /dev/port, in 8 bits only: the kernel makes n accesses of 8 bits to consecutive ports out of a
 * transfer of n bytes (drivers/char/mem.c).
 * @throws DeviceError `not-found`, `permission`; `unsupported` by an access of 16 or 32 bits. RangeError for a range that
 * is not within 0 to 0xffff.
 */
export function devPortAccess(start: number, sizeBytes: number, roots: LinuxRoots = {}): FileAccess {
  checkPortRange(start, sizeBytes);
  return new FilePorts({
    path: `${linuxRoots(roots).dev}/port`,
    position: start,
    remedies: DEV_PORT_REMEDIES,
    widths: [8],
    widthsReason: `/dev/port would make accesses of 8 bits to consecutive ports of it, which is wrong for a 16-bit register such as the ATA data port; ${portsName(start, sizeBytes)} need ioperm or the resourceN file of a PCI device`,
  });
}
