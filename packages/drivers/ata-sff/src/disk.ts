import {
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  DeviceError,
  isDeviceError,
  type WriteOptions,
} from '@ring3/core';
import type { AtaDevice } from './ata-device.ts';
import type { Channel } from './channel.ts';
import { describeMode, isSameMode } from './dma-choice.ts';
import { DmaHistory } from './dma-history.ts';
import type { ErrorHandler, Transfer } from './error-handler.ts';
import type { DmaMode } from './identify.ts';
import { TRIM } from './registers.ts';
import type { Position } from './task-file.ts';
import { maxSectors } from './transfer-command.ts';
import { trimData } from './trim-ranges.ts';

/** What the configuration and the surroundings say of a disk. */
export interface DiskSettings {
  readonly readOnly: boolean;
  readonly maxTransferBlocks: number;
  readonly simulated: boolean;
  /** Data move by bus master. */
  readonly dma: boolean;
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
  #dma: boolean;
  readonly #dmaHistory = new DmaHistory();
  /** The mode that firmware left, to which the controller's timing belongs. */
  readonly dmaMode: DmaMode | undefined;

  constructor(device: AtaDevice, channel: Channel, handler: ErrorHandler, settings: DiskSettings) {
    const { identity } = device;
    this.device = device;
    this.#channel = channel;
    this.#handler = handler;
    this.#dma = settings.dma;
    this.dmaMode = identity.dmaMode;
    const dmaBlocks = settings.dma ? Math.floor(channel.dmaBytes / identity.sectorBytes) : Number.POSITIVE_INFINITY;
    const trim = this.usesDma && identity.maxTrimBlocks > 0 && !settings.readOnly;
    this.info = {
      model: identity.model,
      serial: identity.serial,
      blockSizeBytes: identity.sectorBytes,
      blockCount: identity.sectorCount,
      readOnly: settings.readOnly,
      maxTransferBlocks: Math.min(settings.maxTransferBlocks, maxSectors(identity.lba48), dmaBlocks),
      volatileCache: identity.writeCache.enabled,
      trim,
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

  /** Whether data move by bus master: in the mode that firmware left, and as long as that goes well. */
  get usesDma(): boolean {
    return this.#dma && this.#channel.dmaBytes > 0 && isSameMode(this.device.identity.dmaMode, this.dmaMode);
  }

  /** WRITE MULTIPLE FUA EXT needs a multiple mode; without a volatile cache a plain write is as good. */
  hasNativeFua(byDma: boolean): boolean {
    return this.#nativeFua && this.device.identity.fua && (byDma || this.device.multiple > 0);
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

  async trim(block: number, blockCount: number): Promise<void> {
    checkBlocks(this.info, block, blockCount);
    if (this.info.trim !== true) throw new DeviceError('unsupported', `${this.name} cannot trim`);
    this.checkUsable();
    for (const data of trimData(block, blockCount, this.#maxTrimBlocks)) {
      await this.#channel.queue.run(this.position, () => this.#handler.trim(this, data));
    }
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
  succeeded(operation: Transfer['operation'] | 'flush' | 'trim'): void {
    this.resetsInARow = 0;
    if (operation === 'write') this.unflushedWrites = true;
    if (operation === 'flush') this.unflushedWrites = false;
  }

  /** The command for FUA was refused; from now on FUA is a write and a flush. */
  giveUpNativeFua(command: string): void {
    this.#nativeFua = false;
    this.#channel.log.info(`${this.name}: refuses ${command}; FUA is a write and a flush from now on`);
  }

  /** DMA did not work, though the disk has nothing to complain of. After the third time in ten minutes it is not used any more. */
  noteDmaFailure(): void {
    if (!this.#dmaHistory.note(this.#channel.clock.nowUs()) || !this.#dma) return;
    this.#dma = false;
    const mode = this.dmaMode === undefined ? 'DMA' : describeMode(this.dmaMode);
    this.#channel.log.warn(
      `${this.name}: ${mode} failed for the third time within ten minutes: programmed I/O until the driver is attached anew`,
    );
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

  /** As many as the device takes at once, as far as the buffer holds them. */
  get #maxTrimBlocks(): number {
    return Math.max(
      1,
      Math.min(this.device.identity.maxTrimBlocks, Math.floor(this.#channel.dmaBytes / TRIM.BLOCK_BYTES)),
    );
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
