import { describe, expect, it } from 'vitest';
import type { ControllerOptionsInput } from './options.ts';
import { createBench } from './test-bench.ts';
import { DmaHost } from './test-dma.ts';
import { pattern } from './test-host.ts';

const BUFFER = 0x2_0000;
const SECTORS = 20_000;

type DiskInput = NonNullable<ControllerOptionsInput['disks']>[number];

async function createTrimBench(disk: DiskInput = {}) {
  const made = await createBench({ disks: [{ sectors: SECTORS, ...disk }] });
  const { bench, controller, host } = made;
  const dma = new DmaHost(bench, controller, host);
  const medium = controller.disk()?.medium;
  medium?.write(0, pattern(1000, 1));
  return {
    ...made,
    medium,
    /** Writes the ranges into memory, and the command. */
    trim: async (ranges: readonly (readonly [lba: number, count: number])[], features = 1, blocks = 1) => {
      bench.ram.fill(0, BUFFER, BUFFER + blocks * 512);
      const view = new DataView(bench.ram.buffer, BUFFER);
      for (const [index, [lba, count]] of ranges.entries()) {
        view.setBigUint64(index * 8, BigInt(lba) | (BigInt(count) << 48n), true);
      }
      dma.regions([{ at: BUFFER, lengthBytes: blocks * 512 }]);
      return await dma.run({ command: 0x06, features, count: blocks, wide: true }, 'out');
    },
    sectors: (lba: number, count: number) => {
      const into = new Uint8Array(count * 512);
      medium?.read(lba, into);
      return into;
    },
  };
}

describe('DATA SET MANAGEMENT', () => {
  it('trims ranges, and nothing beside them', async () => {
    const { host, trim, sectors } = await createTrimBench({ trim: 'zero' });
    expect(
      await trim([
        [3, 5],
        [0, 0],
        [100, 900],
      ]),
    ).toEqual({ busMaster: 0x24, disk: 0x50 });
    expect(host.interrupts).toBe(1);
    const kept = pattern(1000, 1);
    expect(sectors(0, 3)).toEqual(kept.subarray(0, 3 * 512));
    expect(sectors(3, 5)).toEqual(new Uint8Array(5 * 512));
    expect(Buffer.compare(sectors(8, 92), kept.subarray(8 * 512, 100 * 512))).toBe(0);
    expect(Buffer.compare(sectors(100, 900), new Uint8Array(900 * 512))).toBe(0);
  });

  it('takes ranges of 65535 sectors, several blocks of them, and addresses of 48 bits', async () => {
    const { trim, sectors } = await createTrimBench({ sectors: 2 ** 33, trim: 'zero' });
    const ranges = [0, 1].map((index) => [index * 65_535, 65_535] as const);
    expect((await trim(ranges)).disk).toBe(0x50);
    expect(sectors(0, 1)).toEqual(new Uint8Array(512));
    const far = Array.from({ length: 65 }, (_, index) => [index === 64 ? 2 ** 32 + 5 : 5, 1] as const);
    const bench = await createTrimBench({ sectors: 2 ** 33, trim: 'zero' });
    bench.medium?.write(2 ** 32 + 4, pattern(3, 2));
    expect((await bench.trim(far, 1, 2)).disk).toBe(0x50);
    expect(bench.sectors(2 ** 32 + 5, 1)).toEqual(new Uint8Array(512));
    expect(bench.sectors(2 ** 32 + 6, 1)).toEqual(pattern(3, 2).subarray(1024));
  });

  it('leaves zeros or what was there, as the seed has it', async () => {
    const survivors = async (trimSeed: number) => {
      const { trim, sectors } = await createTrimBench({ trimSeed });
      await trim([[3, 997]]);
      const before = pattern(1000, 1);
      return Array.from({ length: 1000 }, (_, lba) => {
        const now = sectors(lba, 1);
        const old = Buffer.compare(now, before.subarray(lba * 512, lba * 512 + 512)) === 0;
        if (!old) expect(now).toEqual(new Uint8Array(512));
        return old;
      });
    };
    const first = await survivors(1);
    expect(first.filter(Boolean).length).toBeGreaterThan(200);
    expect(first.filter((old) => !old).length).toBeGreaterThan(200);
    for (let page = 8; page < 1000; page += 8) expect(new Set(first.slice(page, page + 8)).size).toBe(1);
    expect(await survivors(1)).toEqual(first);
    expect(await survivors(2)).not.toEqual(first);
  });

  it('is as durable as a write: not before a flush', async () => {
    const { bench, controller, host, medium, trim, sectors } = await createTrimBench({ trim: 'zero' });
    await host.run({ command: 0xe7 });
    await trim([[0, 100]]);
    expect(medium?.dirtySectors).toBe(100);
    controller.cutPower();
    controller.powerOn();
    await bench.settle();
    expect(sectors(0, 100)).toEqual(pattern(1000, 1).subarray(0, 100 * 512));
  });

  it('stops at a range that is too high', async () => {
    const { host, trim, sectors } = await createTrimBench({ trim: 'zero' });
    const ended = await trim([
      [0, 1],
      [SECTORS - 1, 2],
      [1, 1],
    ]);
    expect(ended.disk).toBe(0x51);
    expect([host.error, host.address(true)]).toEqual([0x10, SECTORS]);
    expect(sectors(0, 1)).toEqual(new Uint8Array(512));
    expect(sectors(1, 1)).toEqual(pattern(1000, 1).subarray(512, 1024));
  });

  it.each([
    ['without the TRIM bit', {}, 0, 1],
    ['with more blocks than word 105 allows', {}, 1, 9],
    ['on a disk that has no trim', { trim: 'none' }, 1, 1],
    ['on a disk without DMA', { dma: false }, 1, 1],
    ['on a disk without 48-bit commands', { lba48: false }, 1, 1],
  ] as const)('is aborted %s', async (_what, disk, features, blocks) => {
    const { host, trim } = await createTrimBench(disk);
    expect((await trim([], features, blocks)).disk).toBe(0x51);
    expect(host.error).toBe(0x04);
  });

  it('is refused by a disk that is write protected', async () => {
    const { host, trim } = await createTrimBench({ readOnly: true });
    expect((await trim([[0, 1]])).disk).toBe(0x51);
    expect(host.error).toBe(0x44);
  });
});

describe('IDENTIFY DEVICE of a disk with trim', () => {
  it.each([
    ['none', 0x00f0, 0, 0, 0],
    ['random', 0x01f0, 0, 8, 1],
    ['deterministic', 0x01f0, 0x4000, 8, 1],
    ['zero', 0x01f0, 0x4020, 8, 1],
  ] as const)('%s', async (trim, word80, word69, word105, word169) => {
    const { host } = await createTrimBench({ trim });
    const words = new Uint16Array((await host.read({ command: 0xec }, 512)).buffer);
    expect([words[80], words[69], words[105], words[169]]).toEqual([word80, word69, word105, word169]);
  });
});
