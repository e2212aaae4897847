import {
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  DeviceError,
  isDeviceError,
  type WriteOptions,
} from '@ring3/core';
import type { AtaDevice } from './ata-device.ts';
import type { Channel } from './channel.ts';
import { maxSectors } from './commands.ts';
import type { ErrorHandler, Transfer } from './error-handler.ts';
import type { Position } from './task-file.ts';

/** What the configuration and the surroundings say of a disk. */
export interface DiskSettings {
  readonly readOnly: boolean;
  readonly maxTransferBlocks: number;
  readonly simulated: boolean;
}

/** How often a disk may refuse MULTIPLE, with the setting in place, before it is not asked any more. */
const MULTIPLE_REFUSALS = 2;

/** One disk of a channel as a {@link BlockDevice}; one request is one command, unless something goes wrong. */
export class AtaDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  /** Renewed after a reset; the identity in it stays that of the same disk. */
  device: AtaDevice;
  /** Written and acknowledged, not flushed yet. */
  unflushedWrites = false;
  /** Resets since the last command that went well. */
  resetsInARow = 0;
  readonly #channel: Channel;
  readonly #handler: ErrorHandler;
  #withdraw: (reason: string) => void = () => {};
  #unusable: DeviceError | undefined;
  #flushFailure: DeviceError | undefined;
  #nativeFua = true;
  #multipleRefusals = 0;

  constructor(device: AtaDevice, channel: Channel, handler: ErrorHandler, settings: DiskSettings) {
    const { identity } = device;
    this.device = device;
    this.#channel = channel;
    this.#handler = handler;
    this.info = {
      model: identity.model,
      serial: identity.serial,
      blockSizeBytes: identity.sectorBytes,
      blockCount: identity.sectorCount,
      readOnly: settings.readOnly,
      maxTransferBlocks: Math.min(settings.maxTransferBlocks, maxSectors(identity.lba48)),
      volatileCache: identity.writeCache.enabled,
      simulated: settings.simulated,
    };
  }

  get name(): string {
    return this.device.name;
  }

  get position(): Position {
    return this.device.position;
  }

  /** Whether the disk was given up; nothing brings it back but attaching the driver anew. */
  get offline(): boolean {
    return this.#unusable !== undefined;
  }

  get flushFailure(): DeviceError | undefined {
    return this.#flushFailure;
  }

  /** WRITE MULTIPLE FUA EXT needs a multiple mode; without a volatile cache a plain write is as good. */
  get hasNativeFua(): boolean {
    return this.#nativeFua && this.device.identity.fua && this.device.multiple > 0;
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    this.#check(block, into.length);
    await this.#transfer({ operation: 'read', block, data: into });
  }

  async write(block: number, from: Uint8Array, options: WriteOptions = {}): Promise<void> {
    this.#check(block, from.length);
    if (this.info.readOnly)
      throw new DeviceError('unsupported', `${this.name} is read-only: the configuration says so`);
    const fua = options.fua === true && this.info.volatileCache;
    await this.#transfer({ operation: fua ? 'write-fua' : 'write', block, data: from });
  }

  async flush(): Promise<void> {
    this.checkUsable();
    const { flush, flushExt } = this.device.identity;
    if (!flush && !flushExt) {
      if (!this.info.volatileCache) return;
      throw new DeviceError(
        'unsupported',
        `${this.name} has a write cache that cannot be switched off, and no FLUSH CACHE`,
      );
    }
    await this.#channel.queue.run(this.position, () => this.#handler.flush(this));
  }

  /** @throws DeviceError when the disk was closed or given up. */
  checkUsable(): void {
    if (this.#unusable !== undefined) throw this.#unusable;
  }

  /** Remembers how to withdraw the service. */
  published(withdraw: (reason: string) => void): void {
    this.#withdraw = withdraw;
  }

  /** Gives the disk up: the service is withdrawn, requests end with the reason. */
  takeOffline(reason: DeviceError): void {
    if (this.#unusable !== undefined) return;
    this.#unusable = new DeviceError(
      reason.code === 'gone' ? 'gone' : 'fault',
      `${this.name} is offline: ${reason.message}`,
      {
        cause: reason,
      },
    );
    this.#channel.log.error(this.#unusable.message);
    this.#withdraw(this.#unusable.message);
  }

  /** Every later flush fails: what was acknowledged and not flushed may be lost. */
  poison(reason: DeviceError): void {
    if (this.#flushFailure !== undefined) return;
    this.#flushFailure = reason;
    this.#channel.log.error(
      `${this.name}: flushes fail from now on, until the driver is attached anew: ${reason.message}`,
    );
  }

  /** A command went well. */
  succeeded(operation: Transfer['operation'] | 'flush'): void {
    this.resetsInARow = 0;
    if (operation === 'write') this.unflushedWrites = true;
    if (operation === 'flush') this.unflushedWrites = false;
  }

  /** WRITE MULTIPLE FUA EXT was refused; from now on FUA is a write and a flush. */
  giveUpNativeFua(): void {
    this.#nativeFua = false;
    this.#channel.log.info(`${this.name}: refuses WRITE MULTIPLE FUA EXT; FUA is a write and a flush from now on`);
  }

  /** @returns whether that was once too often, and MULTIPLE is not used any more. */
  countMultipleRefusal(): boolean {
    if (++this.#multipleRefusals < MULTIPLE_REFUSALS) return false;
    this.device = { ...this.device, multiple: 0 };
    return true;
  }

  /** The orderly end, after the queue was closed: the cache is emptied. @throws DeviceError when it cannot be. */
  async close(reason: string): Promise<void> {
    this.#withdraw(reason);
    if (this.#unusable !== undefined) return;
    try {
      if (this.info.volatileCache) await this.#handler.flush(this);
    } catch (error) {
      // A device that is gone has been told of; ending its driver is no failure.
      if (!isDeviceError(error, 'gone')) throw error;
    } finally {
      this.#unusable ??= new DeviceError('closed', `${this.name}: ${reason}`);
    }
  }

  #check(block: number, lengthBytes: number): void {
    checkBlockRange(this.info, block, lengthBytes);
    const { maxTransferBlocks, blockSizeBytes } = this.info;
    if (lengthBytes > maxTransferBlocks * blockSizeBytes) {
      throw new RangeError(`${lengthBytes / blockSizeBytes} blocks at once: ${this.name} takes ${maxTransferBlocks}`);
    }
  }

  #transfer(transfer: Transfer): Promise<void> {
    this.checkUsable();
    return this.#channel.queue.run(this.position, () => this.#handler.transfer(this, transfer));
  }
}
