import { describe, expect, it } from 'vitest';
import type { WriteOptions } from '../block-device.ts';
import { blockDeviceCases } from './block-device-conformance.ts';
import type { BlockDeviceHarness } from './block-device-harness.ts';
import { runCase } from './conformance.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryDisk, type MemoryDiskOptions } from './memory-disk.ts';

function harnessOf(make: (options: MemoryDiskOptions) => MemoryDisk): BlockDeviceHarness {
  return {
    name: 'broken on purpose',
    start: async () => {
      const clock = new ManualClock();
      const disk = make({ clock, latencyUs: 10, trim: true });
      const stop = async () => {};
      const readOnlyDisk = async () => make({ clock, readOnly: true, trim: true });
      const close = async () => disk.close();
      return {
        disk,
        settle: clock.settle.bind(clock),
        powerCut: async () => disk.cutPower(),
        readOnlyDisk,
        close,
        stop,
      };
    },
  };
}

/** Runs the case whose title begins like this on a broken disk. */
async function runOn(make: (options: MemoryDiskOptions) => MemoryDisk, title: string): Promise<void> {
  const harness = harnessOf(make);
  const found = blockDeviceCases(harness).find((one) => one.title.startsWith(title));
  if (found === undefined) expect.fail(`there is no case ${title}`);
  await runCase(harness, found);
}

class NoFlush extends MemoryDisk {
  override async flush(): Promise<void> {}
}
class NoFua extends MemoryDisk {
  override write(block: number, from: Uint8Array): Promise<void> {
    return super.write(block, from);
  }
}
class EarlyAcknowledgement extends MemoryDisk {
  override async write(block: number, from: Uint8Array, options?: WriteOptions): Promise<void> {
    const write = super.write(block, from, options).catch(() => {});
    if (options?.fua === true || from.length === 0) await write;
  }
}
class OneBlockOff extends MemoryDisk {
  override read(block: number, into: Uint8Array): Promise<void> {
    return super.read(block > 900 ? block - 1 : block, into);
  }
}
class FirstBlockOnly extends MemoryDisk {
  override async read(block: number, into: Uint8Array): Promise<void> {
    const data = new Uint8Array(into.length);
    await super.read(block, data);
    into.set(data.subarray(0, 512));
  }
}
class WholeBuffer extends MemoryDisk {
  override async read(block: number, into: Uint8Array): Promise<void> {
    await super.read(block, into);
    if (into.byteOffset > 0) new Uint8Array(into.buffer).fill(0, 0, 1);
  }
}
class ClearsItsInput extends MemoryDisk {
  override async write(block: number, from: Uint8Array, options?: WriteOptions): Promise<void> {
    await super.write(block, from, options);
    from.fill(0);
  }
}
class Torn extends MemoryDisk {
  override async write(block: number, from: Uint8Array, options?: WriteOptions): Promise<void> {
    const half = new Uint8Array(from.length);
    await super.read(block, half);
    half.set(from.subarray(0, from.length - 256));
    await super.write(block, half, options);
    await super.write(block, from, options);
  }
}
class ThrowsAtOnce extends MemoryDisk {
  override read(block: number, into: Uint8Array): Promise<void> {
    if (block >= this.info.blockCount)
      throw new RangeError(`1 blocks at ${block}: the disk has ${this.info.blockCount}`);
    return super.read(block, into);
  }
}
class WritesThoughReadOnly extends MemoryDisk {
  constructor(options: MemoryDiskOptions) {
    super({ ...options, readOnly: false });
  }
}
class NeverCloses extends MemoryDisk {
  override close(): void {}
}
class TrimsOneMore extends MemoryDisk {
  override async trim(block: number, blockCount: number): Promise<void> {
    await super.trim(block, blockCount);
    if (block + blockCount < this.info.blockCount) await this.write(block + blockCount, new Uint8Array(512));
  }
}
class LateTrim extends MemoryDisk {
  readonly #trimmed = new Set<number>();
  override async trim(block: number, blockCount: number): Promise<void> {
    for (let number = block; number < block + blockCount; number += 1) this.#trimmed.add(number);
  }
  override async write(block: number, from: Uint8Array, options?: WriteOptions): Promise<void> {
    await super.write(block, from, options);
    if (this.#trimmed.delete(block)) await super.write(block, new Uint8Array(512));
  }
}
class ShortTrims extends MemoryDisk {
  override async trim(block: number, blockCount: number): Promise<void> {
    if (blockCount > this.info.maxTransferBlocks) throw new RangeError(`${blockCount} blocks`);
    await super.trim(block, blockCount);
  }
}
class TrimsAnywhere extends MemoryDisk {
  override async trim(): Promise<void> {}
}

describe('the block device suite finds', () => {
  it.each([
    ['a flush that does nothing', NoFlush, 'keeps what was flushed when the power goes'],
    ['FUA that does nothing', NoFua, 'keeps what was written with FUA'],
    ['writes acknowledged before they are done', EarlyAcknowledgement, 'keeps the laws in random sequences'],
    ['an address that is one off', OneBlockOff, 'returns what was written to the first, the last'],
    ['reads that stop after the first block', FirstBlockOnly, 'moves as many blocks at once as it says'],
    ['reads that fill more than their buffer', WholeBuffer, 'takes buffers at odd places'],
    ['writes that change their input', ClearsItsInput, 'returns what was written to the first, the last'],
    ['blocks that are half old, half new', Torn, 'never mixes the blocks of writes that overlap'],
    ['errors that are thrown instead of rejected', ThrowsAtOnce, 'refuses blocks beyond its end'],
    ['a read-only disk that is not', WritesThoughReadOnly, 'refuses writes with DeviceError unsupported'],
    ['trims of a block too many', TrimsOneMore, 'trims no block beside'],
    ['trims that are done after they were acknowledged', LateTrim, 'keeps what is written after a trim has ended'],
    ['trims that are as short as transfers', ShortTrims, 'trims all of itself'],
    ['trims beyond the end', TrimsAnywhere, 'refuses to trim blocks that do not exist'],
    ['trims of a read-only disk', TrimsAnywhere, 'refuses trims with DeviceError unsupported'],
    ['trims of a disk that has ended', TrimsAnywhere, 'answers trims with DeviceError closed'],
    ['a disk that does not end', NeverCloses, 'answers everything with DeviceError closed'],
  ])('%s', async (_what, Broken, title) => {
    await expect(runOn((options) => new Broken(options), title)).rejects.toThrow();
  });
});
