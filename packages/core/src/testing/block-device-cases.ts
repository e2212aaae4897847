import { expect } from 'vitest';
import { isDeviceError } from '../device-error.ts';
import type { BlockDeviceCase, BlockDeviceFixture } from './block-device-harness.ts';
import { pattern } from './block-pattern.ts';
import { sameBytes } from './broken-law.ts';
import { rejection, required } from './conformance.ts';

function read(fixture: BlockDeviceFixture, block: number, count: number, disk = fixture.disk): Promise<Uint8Array> {
  const data = new Uint8Array(count * disk.info.blockSizeBytes).fill(0xee);
  return fixture.settle(disk.read(block, data).then(() => data));
}

/** As `toEqual`, for megabytes. */
function expectSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (sameBytes(actual, expected)) return;
  const at = expected.findIndex((byte, index) => actual[index] !== byte);
  throw new Error(`${what}: byte ${at} is ${actual[at]}, but ${expected[at]} was written`);
}

async function writeAndReadBack(fixture: BlockDeviceFixture, block: number, count: number, tag: number): Promise<void> {
  const { disk, settle } = fixture;
  const data = pattern(disk.info.blockSizeBytes, block, count, tag);
  const before = new Uint8Array(data);
  await settle(disk.write(block, data));
  expectSame(data, before, 'the buffer of a write after it');
  expectSame(await read(fixture, block, count), data, `${count} blocks at ${block}`);
}

/** Data goes in and comes out again. */
export const DATA_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'says what it is, the same before and after requests',
    run: async (fixture) => {
      const { info } = fixture.disk;
      const before = structuredClone(info);
      expect(info.blockSizeBytes).toBeGreaterThan(0);
      expect(info.blockSizeBytes % 8).toBe(0);
      expect(info.blockCount, 'this suite needs 32 blocks').toBeGreaterThanOrEqual(32);
      expect(info.maxTransferBlocks, 'this suite needs 16 blocks at once').toBeGreaterThanOrEqual(16);
      await writeAndReadBack(fixture, 0, 1, 1);
      expect(fixture.disk.info).toEqual(before);
    },
  },
  {
    title: 'returns what was written to the first, the last and a middle block',
    run: async (fixture) => {
      const { blockCount } = fixture.disk.info;
      const places = [0, Math.floor(blockCount / 2), blockCount - 1];
      for (const [tag, block] of places.entries()) await writeAndReadBack(fixture, block, 1, tag + 1);
      for (const [tag, block] of places.entries()) {
        expect(await read(fixture, block, 1)).toEqual(pattern(fixture.disk.info.blockSizeBytes, block, 1, tag + 1));
      }
    },
  },
  {
    title: 'moves as many blocks at once as it says, at both ends of the disk',
    run: async (fixture) => {
      const { blockCount, maxTransferBlocks } = fixture.disk.info;
      const most = Math.min(blockCount, maxTransferBlocks, fixture.largestTransferBlocks ?? maxTransferBlocks);
      await writeAndReadBack(fixture, 0, most, 1);
      await writeAndReadBack(fixture, blockCount - most, most, 2);
    },
  },
  {
    title: 'leaves the neighbours of what is written alone',
    run: async (fixture) => {
      const { blockSizeBytes } = fixture.disk.info;
      await writeAndReadBack(fixture, 4, 5, 1);
      await writeAndReadBack(fixture, 6, 1, 2);
      const expected = pattern(blockSizeBytes, 4, 5, 1);
      expected.set(pattern(blockSizeBytes, 6, 1, 2), 2 * blockSizeBytes);
      expect(await read(fixture, 4, 5)).toEqual(expected);
    },
  },
  {
    title: 'takes buffers at odd places of a larger one, and fills nothing beside them',
    run: async ({ disk, settle }) => {
      const { blockSizeBytes } = disk.info;
      const whole = new Uint8Array(blockSizeBytes + 8).fill(0xee);
      const part = whole.subarray(3, 3 + blockSizeBytes);
      part.set(pattern(blockSizeBytes, 2, 1, 1));
      await settle(disk.write(2, part));
      part.fill(0);
      await settle(disk.read(2, part));
      expect(part).toEqual(pattern(blockSizeBytes, 2, 1, 1));
      expect([...whole.subarray(0, 3), ...whole.subarray(3 + blockSizeBytes)]).toEqual(Array(8).fill(0xee));
    },
  },
];

/** Both directions, since they are checked at two places. */
async function refusals(fixture: BlockDeviceFixture, block: number, lengthBytes: number): Promise<unknown[]> {
  const { disk, settle } = fixture;
  return [
    await settle(rejection(() => disk.read(block, new Uint8Array(lengthBytes)))),
    await settle(rejection(() => disk.write(block, new Uint8Array(lengthBytes).fill(0xbb)))),
  ];
}

/** Requests that cannot be are refused in words. */
export const REFUSAL_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'refuses blocks beyond its end with a RangeError in words, and touches nothing',
    run: async (fixture) => {
      const { blockSizeBytes, blockCount } = fixture.disk.info;
      await writeAndReadBack(fixture, blockCount - 1, 1, 1);
      for (const [block, count] of [
        [blockCount - 1, 2],
        [blockCount, 1],
        [2 ** 48, 1],
        [-1, 1],
        [0.5, 1],
        [Number.NaN, 1],
      ] as const) {
        for (const error of await refusals(fixture, block, count * blockSizeBytes)) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toContain(`${count} blocks at ${block}: the disk has ${blockCount}`);
        }
      }
      expect(await read(fixture, blockCount - 1, 1)).toEqual(pattern(blockSizeBytes, blockCount - 1, 1, 1));
    },
  },
  {
    title: 'refuses buffers that are empty or not whole blocks',
    run: async (fixture) => {
      const { blockSizeBytes } = fixture.disk.info;
      for (const lengthBytes of [0, 1, blockSizeBytes - 1, blockSizeBytes + 1]) {
        for (const error of await refusals(fixture, 0, lengthBytes)) {
          expect(error).toBeInstanceOf(RangeError);
          expect(String(error)).toContain(`${lengthBytes} bytes`);
        }
      }
    },
  },
  {
    title: 'refuses more blocks at once than it says',
    run: async (fixture) => {
      const { blockSizeBytes, blockCount, maxTransferBlocks } = fixture.disk.info;
      if (maxTransferBlocks >= blockCount) return;
      for (const error of await refusals(fixture, 0, (maxTransferBlocks + 1) * blockSizeBytes)) {
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain(`${maxTransferBlocks}`);
      }
    },
  },
  {
    title: 'works on after a refusal',
    run: async (fixture) => {
      await refusals(fixture, fixture.disk.info.blockCount, fixture.disk.info.blockSizeBytes);
      await writeAndReadBack(fixture, 0, 2, 1);
      await fixture.settle(fixture.disk.flush());
    },
  },
  {
    title: 'refuses writes with DeviceError unsupported when it is read-only, reads and flushes nevertheless',
    needs: ['read-only'],
    run: async (fixture) => {
      const disk = await required(fixture.readOnlyDisk, 'readOnlyDisk')();
      expect(disk.info.readOnly).toBe(true);
      const before = await read(fixture, 0, 1, disk);
      const data = new Uint8Array(disk.info.blockSizeBytes).fill(0xbb);
      const error = await fixture.settle(rejection(() => disk.write(0, data)));
      expect(isDeviceError(error, 'unsupported'), String(error)).toBe(true);
      expect(await read(fixture, 0, 1, disk)).toEqual(before);
      await fixture.settle(disk.flush());
    },
  },
  {
    title: 'answers everything with DeviceError closed after its end',
    needs: ['close'],
    run: async (fixture) => {
      const { disk, settle } = fixture;
      await settle(required(fixture.close, 'close')());
      const data = new Uint8Array(disk.info.blockSizeBytes);
      for (const attempt of [() => disk.read(0, data), () => disk.write(0, data), () => disk.flush()]) {
        const error = await settle(rejection(attempt));
        expect(isDeviceError(error, 'closed'), String(error)).toBe(true);
      }
    },
  },
  {
    title: 'settles what is in flight when it ends',
    needs: ['close'],
    run: async (fixture) => {
      const { disk, settle } = fixture;
      const data = new Uint8Array(disk.info.blockSizeBytes);
      const inFlight = Promise.allSettled([disk.read(0, data), disk.write(1, data), disk.flush()]);
      await settle(required(fixture.close, 'close')());
      for (const result of await settle(inFlight)) {
        if (result.status === 'rejected') expect(isDeviceError(result.reason), String(result.reason)).toBe(true);
      }
    },
  },
];
