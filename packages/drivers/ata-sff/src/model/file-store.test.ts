import { linkSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeviceError } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileStore } from './file-store.ts';
import { createBench } from './test-bench.ts';
import { pattern } from './test-host.ts';

let folder = '';
const image = () => join(folder, 'disk.img');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ata-model-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const failure = (open: Promise<unknown>) => open.then(() => undefined).catch((error: unknown) => error);

describe('a disk in a file', () => {
  it('keeps what was flushed, at 512 bytes times the address', async () => {
    const { controller, host } = await createBench({ image: image(), create: true, sizeMiB: 1 });
    await host.write({ command: 0x30, lba: 3, count: 2 }, pattern(2, 1));
    expect(readFileSync(image())).toEqual(Buffer.alloc(2 ** 20)); // Not yet: a killed process must lose it.
    expect(await host.run({ command: 0xe7 })).toBe(0x50);
    expect(new Uint8Array(readFileSync(image()).subarray(1536, 2560))).toEqual(pattern(2, 1));
    await controller.close();
  });

  it('flushes when it is closed in order, and not when the power was cut before', async () => {
    const first = await createBench({ image: image(), create: true, sizeMiB: 1 });
    await first.host.write({ command: 0x30, lba: 0, count: 1 }, pattern(1, 1));
    await first.controller.close();
    const second = await createBench({ image: image() });
    expect(await second.host.read({ command: 0x20, lba: 0, count: 1 }, 512)).toEqual(pattern(1, 1));
    await second.host.write({ command: 0x30, lba: 0, count: 1 }, pattern(1, 2));
    second.controller.cutPower();
    await second.controller.close();
    expect(new Uint8Array(readFileSync(image()).subarray(0, 512))).toEqual(pattern(1, 1));
  });

  it('answers UNC when the file became too short', async () => {
    const { controller, host } = await createBench({ image: image(), create: true, sizeMiB: 1 });
    truncateSync(image(), 1024);
    await expect(host.read({ command: 0x20, lba: 1, count: 2 }, 1024)).rejects.toMatchObject({ error: 0x40 });
    await controller.close();
  });
});

describe('opening an image', () => {
  it('says that the file is missing and what makes it', async () => {
    const error = await failure(createBench({ image: image() }));
    expect(isDeviceError(error, 'not-found')).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(/disk\.img: there is no such file; create: true/) });
  });

  it('refuses what is no whole number of sectors, and a size that differs', async () => {
    writeFileSync(image(), Buffer.alloc(1000));
    expect(isDeviceError(await failure(createBench({ image: image() })), 'config')).toBe(true);
    writeFileSync(image(), Buffer.alloc(1024));
    const error = await failure(createBench({ image: image(), sectors: 3 }));
    expect(error).toMatchObject({ message: expect.stringContaining('has 2 sectors, the configuration says 3') });
  });

  it('does not make an image anew that is there', async () => {
    writeFileSync(image(), pattern(2048, 1));
    const { controller, host } = await createBench({ image: image(), create: true, sizeMiB: 1 });
    expect(await host.read({ command: 0x20, lba: 0, count: 1 }, 512)).toEqual(pattern(1, 1));
    await controller.close();
  });

  it('refuses the same file twice, by whatever name, until it is closed', async () => {
    const store = await FileStore.open(image(), { create: true, readOnly: false, sectors: 8 });
    const other = join(folder, 'link.img');
    linkSync(image(), other);
    const error = await failure(FileStore.open(other, { create: false, readOnly: true }));
    expect(isDeviceError(error, 'busy')).toBe(true);
    await store.close();
    await (await FileStore.open(other, { create: false, readOnly: true })).close();
  });

  it('says that an image cannot be made where there is no folder', async () => {
    const image = join(folder, 'nowhere', 'disk.img');
    const error = await failure(createBench({ image, create: true, sizeMiB: 1 }));
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining('is there such a folder') });
  });

  it('refuses options that the image contradicts', async () => {
    writeFileSync(image(), Buffer.alloc(1024));
    const error = await failure(createBench({ disks: [{ image: image(), hiddenSectors: 2 }] }));
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining('hiddenSectors cannot be 2') });
  });

  it('closes the disks that were open already when a later one fails', async () => {
    const disks = [
      { image: image(), create: true, sectors: 8 },
      { channel: 1, image: join(folder, 'missing.img') },
    ] as const;
    expect(isDeviceError(await failure(createBench({ disks: [...disks] })), 'not-found')).toBe(true);
    await (await FileStore.open(image(), { create: false, readOnly: false })).close();
  });
});
