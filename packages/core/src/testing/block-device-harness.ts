import type { BlockDevice } from '../block-device.ts';
import type { ConformanceCase, ConformanceHarness } from './conformance.ts';

/** What not every block device under test can do. */
export type BlockDeviceAbility = 'power-cut' | 'read-only' | 'close' | 'trim';

/** A writable disk whose content nobody needs, for one test: at least 32 blocks, at least 16 at once. */
export interface BlockDeviceFixture {
  /** The disk; after a power cut the one that came up. */
  readonly disk: BlockDevice;
  /** The most blocks that one request of the suite moves, for slow disks. Default: as many as the disk says. */
  readonly largestTransferBlocks?: number;
  /** Lets the disk's time pass until the promise settles; on real time it returns the promise. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
  /** Cuts the power and brings the disk up again. Ability `power-cut`. */
  readonly powerCut?: () => Promise<void>;
  /** A disk of the same kind that is read-only. Ability `read-only`. */
  readonly readOnlyDisk?: () => Promise<BlockDevice>;
  /** Ends the service of the disk in the orderly way. Ability `close`. */
  readonly close?: () => Promise<void>;
  /** Gives everything back, whatever the test did. */
  readonly stop: () => Promise<void>;
}

/** What {@link blockDeviceConformance} runs on. */
export interface BlockDeviceHarness extends ConformanceHarness<BlockDeviceFixture, BlockDeviceAbility> {
  /** How many random sequences are tried. Default 20; the seed is 1, or `RING3_SEED` of the environment. */
  readonly randomRuns?: number;
}

/** One law of the suite. */
export type BlockDeviceCase = ConformanceCase<BlockDeviceFixture, BlockDeviceAbility>;
