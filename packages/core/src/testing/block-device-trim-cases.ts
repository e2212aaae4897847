import { expect } from 'vitest';
import type { BlockDevice } from '../block-device.ts';
import { isDeviceError } from '../device-error.ts';
import type { BlockDeviceCase, BlockDeviceFixture } from './block-device-harness.ts';
import { pattern } from './block-pattern.ts';
import { rejection, required } from './conformance.ts';

function trim(disk: BlockDevice, block: number, blockCount: number): Promise<void> {
  expect(disk.info.trim, 'a disk without trim: say so in cannot').toBe(true);
  return required(disk.trim?.(block, blockCount), 'trim, though info.trim says so');
}

async function expectPattern({ disk, settle }: BlockDeviceFixture, block: number, data: Uint8Array): Promise<void> {
  const into = new Uint8Array(data.length).fill(0xee);
  await settle(disk.read(block, into));
  expect(into).toEqual(data);
}

/** What a trim owes as a request. What it may do to data is judged by the oracle. */
export const TRIM_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'trims no block beside those that it was told, and takes writes to them afterwards',
    needs: ['trim'],
    run: async (fixture) => {
      const { disk, settle } = fixture;
      const { blockSizeBytes } = disk.info;
      await settle(disk.write(0, pattern(blockSizeBytes, 0, 16, 1)));
      for (const [block, count] of [
        [3, 1],
        [5, 8],
      ] as const) {
        await settle(trim(disk, block, count));
      }
      await expectPattern(fixture, 0, pattern(blockSizeBytes, 0, 3, 1));
      await expectPattern(fixture, 4, pattern(blockSizeBytes, 4, 1, 1));
      await expectPattern(fixture, 13, pattern(blockSizeBytes, 13, 3, 1));
      await settle(disk.write(4, pattern(blockSizeBytes, 4, 8, 2)));
      await expectPattern(fixture, 4, pattern(blockSizeBytes, 4, 8, 2));
    },
  },
  {
    title: 'trims all of itself at once, whatever the most blocks of a transfer are',
    needs: ['trim'],
    run: async (fixture) => {
      const { disk, settle } = fixture;
      const { blockSizeBytes, blockCount } = disk.info;
      await settle(trim(disk, 0, blockCount));
      for (const block of [0, blockCount - 1]) {
        await settle(disk.write(block, pattern(blockSizeBytes, block, 1, 1)));
        await expectPattern(fixture, block, pattern(blockSizeBytes, block, 1, 1));
      }
    },
  },
  {
    title: 'refuses to trim blocks that do not exist with a RangeError in words, and touches nothing',
    needs: ['trim'],
    run: async (fixture) => {
      const { disk, settle } = fixture;
      const { blockSizeBytes, blockCount } = disk.info;
      const last = pattern(blockSizeBytes, blockCount - 1, 1, 1);
      await settle(disk.write(blockCount - 1, last));
      for (const [block, count] of [
        [blockCount - 1, 2],
        [blockCount, 1],
        [2 ** 48, 1],
        [-1, 1],
        [0, 0],
        [0, 1.5],
      ] as const) {
        const error = await settle(rejection(() => trim(disk, block, count)));
        expect(error).toBeInstanceOf(RangeError);
        expect(String(error)).toContain(`${count} blocks at ${block}: the disk has ${blockCount}`);
      }
      await expectPattern(fixture, blockCount - 1, last);
    },
  },
  {
    title: 'refuses trims with DeviceError unsupported when it is read-only',
    needs: ['trim', 'read-only'],
    run: async (fixture) => {
      const disk = await required(fixture.readOnlyDisk, 'readOnlyDisk')();
      if (disk.info.trim !== true) return;
      const error = await fixture.settle(rejection(() => trim(disk, 0, 1)));
      expect(isDeviceError(error, 'unsupported'), String(error)).toBe(true);
    },
  },
  {
    title: 'answers trims with DeviceError closed after its end',
    needs: ['trim', 'close'],
    run: async (fixture) => {
      await fixture.settle(required(fixture.close, 'close')());
      const error = await fixture.settle(rejection(() => trim(fixture.disk, 0, 1)));
      expect(isDeviceError(error, 'closed'), String(error)).toBe(true);
    },
  },
];
