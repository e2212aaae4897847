import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BlockDeviceFixture, blockDeviceConformance, needsTools } from '@ring3/core/testing';
import { NbdServer } from '@ring3/nbd';
import { beforeEach, describe, expect, it } from 'vitest';
import { blocks, same } from './test-driver.ts';
import { driveQemu, needsQemu, type QemuSetUp, temporaryFolder } from './test-qemu-driver.ts';

beforeEach(needsQemu);

const run = promisify(execFile);
const MIB = 2048;
const SMALL = 2 * MIB;

const DMA = { dma: 'on', interrupts: 'required' } as const;
const PIO = { dma: 'off', interrupts: 'required' } as const;
const WAYS: readonly (readonly [string, QemuSetUp, 'DMA' | 'PIO'])[] = [
  ['piix3-ide, DMA by interrupt', { machine: 'pc', options: DMA }, 'DMA'],
  ['piix3-ide, DMA by polling', { machine: 'pc', options: { dma: 'on', interrupts: 'polling' } }, 'DMA'],
  ['piix3-ide, PIO by interrupt', { machine: 'pc', options: PIO }, 'PIO'],
  ['piix3-ide, PIO by polling', { machine: 'pc', options: { dma: 'off', interrupts: 'polling' } }, 'PIO'],
  ['cmd646-ide, DMA by interrupt', { machine: 'clipper', options: DMA }, 'DMA'],
  ['cmd646-ide, DMA by polling', { machine: 'clipper', options: { dma: 'on', interrupts: 'polling' } }, 'DMA'],
  ['cmd646-ide, PIO by interrupt', { machine: 'clipper', options: PIO }, 'PIO'],
];

describe.each(WAYS)('%s', (_name, setUp, way) => {
  it('reads IDENTIFY, and reads and writes what the image then holds', async () => {
    const driver = await driveQemu(setUp);
    const disk = driver.disk();
    expect(disk.info).toMatchObject({ blockCount: 4096, serial: 'R3QEMU0', model: 'QEMU HARDDISK' });
    expect(driver.said.join('\n')).toMatch(way === 'DMA' ? /Ultra DMA mode 5/ : /programmed I\/O/);
    const data = blocks(100, 77);
    await disk.write(1000, data);
    await disk.flush();
    const into = new Uint8Array(600 * 512);
    await disk.read(600, into);
    const image = driver.image(0);
    expect(same(into, image.subarray(600 * 512, 1200 * 512)), 'what was read is what the image holds').toBe(true);
    expect(same(data, image.subarray(1000 * 512, 1100 * 512)), 'what was written is in the image').toBe(true);
    await driver.stop();
  });
});

describe.each([
  ['64 MiB by DMA on piix3-ide', { machine: 'pc', options: DMA }, 64],
  ['64 MiB by DMA on cmd646-ide', { machine: 'clipper', options: DMA }, 64],
  ['2 MiB by PIO on piix3-ide', { machine: 'pc', options: PIO }, 2],
  ['2 MiB by PIO on cmd646-ide', { machine: 'clipper', options: PIO }, 2],
] as const)('nbdcopy', (name, setUp, sizeMiB) => {
  beforeEach(needsTools({ nbdcopy: 'libnbd-bin' }));

  it(`copies ${name} in and out`, { timeout: 120_000 }, async () => {
    const driver = await driveQemu({ ...setUp, disks: [{ sectors: sizeMiB * MIB }] });
    const folder = temporaryFolder();
    const server = await NbdServer.listen({ unix: join(folder, 'nbd.sock') });
    const exported = server.export('disk0', driver.disk());
    const [source, back] = [join(folder, 'source'), join(folder, 'back')];
    const content = fileOf(source, sizeMiB);
    await run('nbdcopy', ['--flush', source, exported.uri]);
    expect(same(driver.image(0), content), 'the image holds what was copied in').toBe(true);
    await run('nbdcopy', [exported.uri, back]);
    expect(same(contentOf(back), content), 'what was copied out is the same').toBe(true);
    await server.close({ deadlineMs: 5000 });
    await driver.stop();
  });
});

describe('four disks', () => {
  it.each(['pc', 'clipper'] as const)('on both channels of %s at once keep to themselves, by DMA', async (machine) => {
    const sectors = 4096;
    const driver = await driveQemu({ machine, options: DMA, disks: [0, 1, 2, 3].map(() => ({ sectors })) });
    expect(driver.services.list().map(({ name }) => name)).toEqual(['disk0', 'disk1', 'disk2', 'disk3']);
    const written = [0, 1, 2, 3].map((index) => blocks(200, 100 + index));
    const busy = written.map(async (data, index) => {
      const disk = driver.disk(`disk${index}`);
      const into = new Uint8Array(500 * 512);
      await Promise.all([disk.read(3000, into), disk.write(64 * index, data), disk.write(2000, data)]);
      await disk.flush();
      return into;
    });
    for (const [index, into] of (await Promise.all(busy)).entries()) {
      const image = driver.image(index);
      const data = written[index] ?? new Uint8Array();
      expect(same(into, image.subarray(3000 * 512, 3500 * 512)), `disk${index} was read`).toBe(true);
      expect(same(data, image.subarray(64 * index * 512, (64 * index + 200) * 512)), `disk${index}`).toBe(true);
      expect(same(data, image.subarray(2000 * 512, 2200 * 512)), `disk${index} beside`).toBe(true);
    }
    await driver.stop();
  });

  it('with two on each channel move by PIO too', async () => {
    const driver = await driveQemu({ options: PIO, disks: [0, 1, 2, 3].map(() => ({ sectors: 1000 })) });
    const reads = [0, 1, 2, 3].map(async (index) => {
      const into = new Uint8Array(64 * 512);
      await driver.disk(`disk${index}`).read(100, into);
      return same(into, driver.image(index).subarray(100 * 512, 164 * 512));
    });
    expect(await Promise.all(reads)).toEqual([true, true, true, true]);
    await driver.stop();
  });
});

describe('what is no ATA disk', () => {
  it('is named and left out: a CD-ROM drive', async () => {
    const driver = await driveQemu({ disks: [{ sectors: 4096 }, { sectors: 4096, driver: 'ide-cd' }] });
    expect(driver.services.list().map(({ name }) => name)).toEqual(['disk0']);
    expect(driver.said.join('\n')).toMatch(/device 1: .*(packet|ATAPI)/i);
    await driver.stop();
  });
});

for (const [name, setUp, way] of WAYS.filter(([, { options }]) => options?.interrupts === 'required')) {
  blockDeviceConformance({
    name: `QEMU's ${name}`,
    start: () => startDisk(setUp, way === 'PIO'),
    randomRuns: 5,
    cannot: {
      'power-cut': 'QEMU keeps what was written when it ends',
      ...(way === 'PIO' ? { trim: 'TRIM is a command of DMA' } : {}),
    },
  });
}

async function startDisk(setUp: QemuSetUp, slow: boolean): Promise<BlockDeviceFixture> {
  let driver = await driveQemu({ ...setUp, disks: [{ sectors: SMALL }] });
  let disk = driver.disk();
  return {
    get disk() {
      return disk;
    },
    settle: (promise) => promise,
    ...(slow && { largestTransferBlocks: 64 }),
    readOnlyDisk: async () => {
      await driver.stop();
      driver = await driver.again({ ...setUp.options, readOnly: true });
      disk = driver.disk();
      return disk;
    },
    close: () => driver.stop(),
    stop: () => driver.stop(),
  };
}

function fileOf(path: string, sizeMiB: number): Uint8Array {
  const content = blocks(sizeMiB * MIB, 4711);
  writeFileSync(path, content);
  return content;
}

function contentOf(path: string): Uint8Array {
  return readFileSync(path);
}
