import { describe, expect, it } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import { blockDeviceConformance } from './block-device-conformance.ts';
import { rejection } from './conformance.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';
import { seededRandom } from './seeded-random.ts';

function setUp(options: MemoryDiskOptions = {}) {
  const clock = new ManualClock();
  const disk = new MemoryDisk({ clock, ...options });
  const settle = clock.settle.bind(clock);
  const block = (byte: number) => new Uint8Array(disk.info.blockSizeBytes).fill(byte);
  const read = async (number: number) => {
    const into = block(0xee);
    await settle(disk.read(number, into));
    return into;
  };
  return { clock, disk, settle, block, read };
}

describe('MemoryDisk keeps the contract', () => {
  const kinds: Record<string, MemoryDiskOptions> = {
    'at once': {},
    'with requests that overtake each other': { latencyUs: shuffled() },
    'that trims': { trim: true, latencyUs: shuffled() },
    'that trims without a cache': { trim: true, volatileCache: false },
    'with a write-through cache and 4 KiB blocks': { volatileCache: false, blockSizeBytes: 4096, blockCount: 64 },
  };
  for (const [name, options] of Object.entries(kinds)) {
    blockDeviceConformance({
      name: `memory disk ${name}`,
      ...(options.trim !== true && { cannot: { trim: 'this one has no trim' } }),
      start: async () => {
        const { clock, disk, settle } = setUp(options);
        return {
          disk,
          settle,
          powerCut: async () => disk.cutPower((block) => block % 3 === 0),
          readOnlyDisk: async () => new MemoryDisk({ ...options, clock, readOnly: true }),
          close: async () => disk.close(),
          stop: async () => {},
        };
      },
    });
  }
});

/** Latencies that differ from request to request, the same in every run. */
function shuffled(): () => number {
  let state = 1;
  return () => {
    state = (state * 75) % 65_537;
    return state % 500;
  };
}

describe('MemoryDisk', () => {
  it('loses what is in its cache with the power, except what had reached stable storage', async () => {
    const { disk, settle, block, read } = setUp();
    await settle(disk.write(1, block(1)));
    await settle(disk.write(2, block(2)));
    disk.cutPower((number) => number === 2);
    expect([await read(1), await read(2)]).toEqual([block(0), block(2)]);
  });

  it('fails what is in flight when the power goes, and does nothing of it', async () => {
    const { disk, settle, block, read } = setUp({ latencyUs: 100 });
    const failed = rejection(() => disk.write(1, block(1), { fua: true }));
    disk.cutPower();
    expect(isDeviceError(await settle(failed), 'gone')).toBe(true);
    expect(await read(1)).toEqual(block(0));
  });

  it('names the first damaged block until it is written anew', async () => {
    const { disk, settle, block } = setUp();
    disk.damage(6);
    disk.damage(5);
    const error = await settle(rejection(() => disk.read(4, new Uint8Array(4 * 512))));
    expect(error).toMatchObject({ code: 'media', details: { block: 5 } });
    await settle(disk.write(5, block(1)));
    expect(await settle(rejection(() => disk.read(4, new Uint8Array(4 * 512))))).toMatchObject({
      details: { block: 6 },
    });
  });

  it('makes of trimmed blocks what the contract allows, decided by the seed', async () => {
    const trimmed = async (seed: number) => {
      const { disk, settle, read, block } = setUp({ trim: true, random: seededRandom(seed) });
      for (let number = 0; number < 32; number += 1) {
        await settle(disk.write(number, block(1), { fua: true }));
        await settle(disk.write(number, block(2)));
      }
      await settle(disk.trim(0, 32));
      const found: (number | undefined)[] = [];
      for (let number = 0; number < 32; number += 1) found.push((await read(number))[0]);
      return found;
    };
    const found = await trimmed(1);
    expect(new Set(found)).toEqual(new Set([0, 1, 2]));
    expect(await trimmed(1)).toEqual(found);
    expect(await trimmed(2)).not.toEqual(found);
  });

  it('has no trim unless it is told to', async () => {
    const { disk, settle } = setUp();
    expect(isDeviceError(await settle(rejection(() => disk.trim(0, 1))), 'unsupported')).toBe(true);
  });

  it('takes its latency on the clock', async () => {
    const { clock, disk, settle, block } = setUp({ latencyUs: 250 });
    await settle(disk.write(0, block(1)));
    expect(clock.nowUs()).toBe(250);
  });
});
