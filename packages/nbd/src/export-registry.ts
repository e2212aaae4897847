import { DeviceError } from '@ring3/core';
import type { ExportedDisk } from './exported-disk.ts';
import type { ExportDirectory } from './handshake.ts';

/** The exports of a server. */
export class ExportRegistry implements ExportDirectory {
  /** Whether the server is on its way down. */
  closing = false;
  readonly #disks = new Map<string, ExportedDisk>();
  #defaultName: string | undefined;

  /** @throws DeviceError `busy` when there is one of this name. */
  add(disk: ExportedDisk): void {
    if (this.#disks.has(disk.name)) {
      throw new DeviceError(
        'busy',
        `there is an export '${disk.name}' already: withdraw it first, or take another name`,
      );
    }
    this.#disks.set(disk.name, disk);
    this.#defaultName ??= disk.name;
  }

  remove(disk: ExportedDisk): void {
    if (this.#disks.get(disk.name) === disk) this.#disks.delete(disk.name);
  }

  list(): readonly ExportedDisk[] {
    return [...this.#disks.values()];
  }

  /**
   * The empty name stands for the first export that was ever made, and for nothing while that is withdrawn: a client
   * that reconnects must not meet another disk.
   */
  find(name: string): ExportedDisk | undefined {
    return this.#disks.get(name === '' ? (this.#defaultName ?? '') : name);
  }
}
