import { describe, expect, it } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import { blockDeviceConformance } from './block-device-conformance.ts';
import { rejection } from './conformance.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';

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
    'with a write-through cache and 4 KiB blocks': { volatileCache: false, blockSizeBytes: 4096, blockCount: 64 },
  };
  for (const [name, options] of Object.entries(kinds)) {
    blockDeviceConformance({
      name: `memory disk ${name}`,
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

  it('takes its latency on the clock', async () => {
    const { clock, disk, settle, block } = setUp({ latencyUs: 250 });
    await settle(disk.write(0, block(1)));
    expect(clock.nowUs()).toBe(250);
  });
});
