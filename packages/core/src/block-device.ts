import { serviceClass } from './service.ts';

/** What a block device is. Does not change while it is published: a disk that changes is withdrawn and published anew. */
export interface BlockDeviceInfo {
  /** As the device gives it; empty where it has none. */
  readonly model: string;
  /** Tells one disk from another when a device comes back; empty where it has none. */
  readonly serial: string;
  readonly blockSizeBytes: number;
  readonly blockCount: number;
  readonly readOnly: boolean;
  /** The most blocks of one {@link BlockDevice.read} or {@link BlockDevice.write}. */
  readonly maxTransferBlocks: number;
  /** Whether acknowledged writes may be lost with the power until {@link BlockDevice.flush} has ended. */
  readonly volatileCache: boolean;
  /** Whether {@link BlockDevice.trim} is there. Default: it is not. */
  readonly trim?: boolean;
  /** Simulated hardware says so, and everything that shows this device passes it on. */
  readonly simulated: boolean;
}

/** How a write is to be done. */
export interface WriteOptions {
  /** Force unit access: on stable storage before the write is acknowledged. */
  readonly fua?: boolean;
}

/**
 * A disk: blocks by number. Calls may overlap; the device orders them as it likes, so who needs an order waits.
 *
 * What a write means (the oracle of every fault test): unacknowledged, each block is old or new; acknowledged, it is
 * what reads return; acknowledged and then flushed, or written with FUA, it survives a loss of power.
 *
 * Every method rejects, and never throws before it has returned a promise: with `RangeError` for blocks that do not exist,
 * for more blocks than `maxTransferBlocks` and for buffers that are not whole blocks, before the device is touched; with
 * DeviceError `unsupported` for a write to a read-only disk; `media` (details `block`: the first bad one), `fault`,
 * `timeout`, `gone`; and with `closed` after the end of the service.
 */
export interface BlockDevice {
  readonly info: BlockDeviceInfo;
  /** Fills `into` from `block` on. On a failure the content of `into` is undefined. */
  read(block: number, into: Uint8Array): Promise<void>;
  /** Writes `from` from `block` on; `from` must not change until the promise settles. */
  write(block: number, from: Uint8Array, options?: WriteOptions): Promise<void>;
  /**
   * Brings every write that was acknowledged before the call to stable storage. When a flush fails, after the device's
   * own retries, the writes since the last good flush are in doubt: every later flush fails too, until the driver is
   * attached anew.
   */
  flush(): Promise<void>;
  /**
   * Tells the device that nobody needs the content of these blocks any more; there where `info.trim` says so. Afterwards
   * each of them reads as before or as anything else, the same or not each time, until it is written again; a device that
   * forgets to do it has done nothing wrong. Not bound by `maxTransferBlocks`.
   */
  trim?(block: number, blockCount: number): Promise<void>;
}

/** The class of disks. */
export const BLOCK_DEVICE = serviceClass<BlockDevice>('block-device');

/**
 * The check that every block device makes first.
 * @throws RangeError in words: `300 blocks at 900: the disk has 1024`.
 */
export function checkBlockRange(info: BlockDeviceInfo, block: number, lengthBytes: number): void {
  const blocks = lengthBytes / info.blockSizeBytes;
  if (!Number.isInteger(blocks) || blocks === 0) {
    throw new RangeError(`${lengthBytes} bytes are not whole blocks: give a multiple of ${info.blockSizeBytes}`);
  }
  checkBlocks(info, block, blocks);
  if (blocks > info.maxTransferBlocks) {
    throw new RangeError(`${blocks} blocks at ${block}: one request moves at most ${info.maxTransferBlocks}`);
  }
}

/**
 * The check for requests without data.
 * @throws RangeError in words.
 */
export function checkBlocks(info: BlockDeviceInfo, block: number, blockCount: number): void {
  const isRange = Number.isSafeInteger(block) && Number.isSafeInteger(blockCount) && block >= 0 && blockCount > 0;
  if (!isRange || block + blockCount > info.blockCount) {
    throw new RangeError(`${blockCount} blocks at ${block}: the disk has ${info.blockCount}`);
  }
}
