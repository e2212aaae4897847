import { readSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { DeviceError } from '@ring3/core';
import { SECTOR_BYTES } from './ata-registers.ts';
import type { SectorRun, SectorStore } from './sector-store.ts';

/** How an image file is opened. */
export interface ImageOptions {
  readonly readOnly: boolean;
  /** Makes the file when it is missing; needs `sectors`. */
  readonly create: boolean;
  /** The expected size; default: what the file has. */
  readonly sectors?: number | undefined;
}

/** Images that this process has open: two disks on one file would destroy it. */
const openImages = new Map<string, string>();

/**
 * Sectors in a file: sector n at byte 512 n, like every raw image. Writes are pwrite calls of whole sectors, so that
 * a process killed in the middle leaves each sector old or new: the kernel copies by pages, and 512 divides them.
 */
export class FileStore implements SectorStore {
  readonly sectors: number;
  readonly #file: FileHandle;
  readonly #claim: string;

  private constructor(file: FileHandle, sectors: number, claim: string) {
    this.#file = file;
    this.sectors = sectors;
    this.#claim = claim;
  }

  /** @throws DeviceError `not-found`, `permission`, `config` or `busy`, each with the remedy. */
  static async open(path: string, options: ImageOptions): Promise<FileStore> {
    const file = await openImage(path, options);
    try {
      const sectors = await sizeOf(file, path, options);
      return new FileStore(file, sectors, await claimImage(file, path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  read(lba: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const count = readSync(this.#file.fd, into, done, into.length - done, lba * SECTOR_BYTES + done);
      if (count === 0) throw new Error(`the image ends before sector ${lba + Math.floor(done / SECTOR_BYTES)}`);
      done += count;
    }
  }

  write(lba: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      done += writeSync(this.#file.fd, from, done, from.length - done, lba * SECTOR_BYTES + done);
    }
  }

  async commit(runs: Iterable<SectorRun>): Promise<void> {
    for (const { lba, data } of runs) {
      for (let done = 0; done < data.length; ) {
        const at = lba * SECTOR_BYTES + done;
        done += (await this.#file.write(data, done, data.length - done, at)).bytesWritten;
      }
    }
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    openImages.delete(this.#claim);
    await this.#file.close();
  }
}

async function openImage(path: string, options: ImageOptions): Promise<FileHandle> {
  try {
    return await open(path, options.readOnly ? 'r' : 'r+');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return await createImage(path, options, error);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      const remedy = options.readOnly ? 'grant read permission' : 'grant write permission, or set readOnly: true';
      throw new DeviceError('permission', `image ${path}: it exists, but cannot be opened; ${remedy}`, {
        cause: error,
      });
    }
    throw new DeviceError('config', `image ${path}: cannot be opened (${code})`, { cause: error });
  }
}

async function createImage(path: string, { create, readOnly }: ImageOptions, missing: unknown): Promise<FileHandle> {
  if (!create || readOnly) {
    const message = `image ${path}: there is no such file; create: true with sizeMiB makes an empty one`;
    throw new DeviceError('not-found', message, { cause: missing });
  }
  try {
    return await open(path, 'wx+');
  } catch (error) {
    const message = `image ${path}: cannot be made (${codeOf(error)}); is there such a folder, and may you write to it?`;
    throw new DeviceError('config', message, { cause: error });
  }
}

async function sizeOf(file: FileHandle, path: string, { sectors, create }: ImageOptions): Promise<number> {
  const { size } = await file.stat();
  if (size === 0 && create && sectors !== undefined) {
    await file.truncate(sectors * SECTOR_BYTES);
    return sectors;
  }
  if (size === 0 || size % SECTOR_BYTES !== 0) {
    throw new DeviceError('config', `image ${path}: ${size} bytes are not whole sectors of ${SECTOR_BYTES} bytes`);
  }
  if (sectors !== undefined && sectors * SECTOR_BYTES !== size) {
    throw new DeviceError(
      'config',
      `image ${path}: the file has ${size / SECTOR_BYTES} sectors, the configuration says ${sectors}; leave the size out`,
    );
  }
  return size / SECTOR_BYTES;
}

async function claimImage(file: FileHandle, path: string): Promise<string> {
  const { dev, ino } = await file.stat({ bigint: true });
  const claim = `${dev}:${ino}`;
  const holder = openImages.get(claim);
  if (holder !== undefined) {
    throw new DeviceError('busy', `image ${path}: a simulated disk of this process has it open already, as ${holder}`);
  }
  openImages.set(claim, path);
  return claim;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
