import { DeviceError, isDeviceError } from '@ring3/core';
import { configure, identify } from './ata-device.ts';
import { autopsy, type History, newHistory, type RetryLimits, remember } from './autopsy.ts';
import type { Channel } from './channel.ts';
import { type Command, flushCommand, isDma, isTrim, trimCommand } from './commands.ts';
import type { AtaDisk } from './disk.ts';
import { type Failure, type FailureKind, failureToError } from './failure.ts';
import { recover } from './recovery.ts';
import { ERROR, TRIM } from './registers.ts';
import { failingSector, isFua, isMultiple, transferCommand } from './transfer-command.ts';

/** One read or write of a disk. */
export interface Transfer {
  readonly operation: 'read' | 'write' | 'write-fua';
  readonly block: number;
  readonly data: Uint8Array;
}

/** How patient the handler is. */
export interface HandlerLimits extends RetryLimits {
  readonly timeoutUs: number;
  readonly flushTimeoutUs: number;
}

/** Resets without a success in between, after which a disk is taken offline. */
const OFFLINE_AFTER_RESETS = 5;
/** A FLUSH that failed has dropped the bad sector; the following ones save the others, and still the flush has failed. */
const FLUSH_CONTINUATIONS = 5;
/** A FLUSH without anything to write can be over before one looks; after so many of them one must have been taken. */
const UNSEEN_FLUSHES = 3;

/** Failures of a DMA command that may go away without DMA. */
const TRANSPORT: readonly FailureKind[] = ['bus', 'protocol', 'timeout'];

/**
 * Runs the requests of one channel's disks, each alone on the channel, and answers for how they end: retries, resets,
 * taking a disk offline. A success that it reports is one; what it cannot bring about is a named error.
 */
export class ErrorHandler {
  readonly disks: AtaDisk[] = [];
  readonly #channel: Channel;
  readonly #limits: HandlerLimits;
  #stopping = false;

  constructor(channel: Channel, limits: HandlerLimits) {
    this.#channel = channel;
    this.#limits = limits;
  }

  /** From now on nothing is tried again. */
  stop(): void {
    this.#stopping = true;
  }

  /** Reads or writes; a write with FUA is on stable storage when this resolves. */
  async transfer(disk: AtaDisk, transfer: Transfer): Promise<void> {
    const history = newHistory();
    const refused: Command[] = [];
    let { operation } = transfer;
    for (;;) {
      disk.checkUsable();
      const dma = disk.usesDma && this.#mayUseDma(history);
      if (operation === 'write-fua' && !disk.hasNativeFua(dma)) operation = 'write';
      const command = this.#transferCommand(disk, { ...transfer, operation }, { dma, multiple: history.errors === 0 });
      const { failure } = await this.#channel.execute(command, disk.position, transfer.data);
      if (failure === undefined) break;
      await this.#handle(disk, command, failure, history);
      if (failure.kind !== 'error') continue;
      if (failure.error === ERROR.ABRT) refused.push(command);
      // Once more means sector by sector, which has no FUA of its own.
      if (operation === 'write-fua') operation = 'write';
    }
    disk.succeeded(operation);
    for (const command of refused) await this.#learn(disk, command);
    if (operation !== transfer.operation) await this.flush(disk);
  }

  /** DATA SET MANAGEMENT; where DMA is not used any more, nothing happens, which a trim may always do. */
  async trim(disk: AtaDisk, ranges: Uint8Array): Promise<void> {
    const command = trimCommand(ranges.length / TRIM.BLOCK_BYTES, this.#limits.timeoutUs);
    const history = newHistory();
    for (;;) {
      disk.checkUsable();
      if (!disk.usesDma) return;
      const { failure } = await this.#channel.execute(command, disk.position, ranges);
      if (failure === undefined) break;
      await this.#handle(disk, command, failure, history);
    }
    disk.succeeded('trim');
  }

  /** By DMA first; a bad sector is found by programmed I/O, and the last repetition of all is made without DMA. */
  #mayUseDma({ errors, resets }: History): boolean {
    return errors === 0 && (resets === 0 || resets < this.#limits.retries);
  }

  /** A command was refused, and another one did the same job. */
  async #learn(disk: AtaDisk, command: Command): Promise<void> {
    if (isFua(command)) disk.giveUpNativeFua(command.name);
    else if (isDma(command)) disk.noteDmaFailure();
    else if (isMultiple(command)) await this.#checkMultiple(disk);
  }

  /** FLUSH CACHE. Once it has failed for good it always fails: what it covered is in doubt. */
  async flush(disk: AtaDisk): Promise<void> {
    disk.checkUsable();
    if (disk.flushFailure !== undefined) throw disk.flushFailure;
    try {
      await this.#flush(disk);
    } catch (error) {
      if (isDeviceError(error)) disk.poison(error);
      throw error;
    }
    disk.succeeded('flush');
  }

  async #flush(disk: AtaDisk): Promise<void> {
    const command = flushCommand(disk.device.identity.flushExt, this.#limits.flushTimeoutUs);
    const history = newHistory();
    let dropped: DeviceError | undefined;
    for (let unseen = 0, continuations = 0; ; ) {
      disk.checkUsable();
      const { failure, begun } = await this.#channel.execute(command, disk.position);
      // It ended before anyone saw it begin: again, in case the command itself was lost on the bus.
      if (failure === undefined && !begun && ++unseen < UNSEEN_FLUSHES) continue;
      if (failure === undefined) break;
      if (failure.kind === 'error' || failure.kind === 'fault') dropped ??= failureToError(disk.name, failure);
      if (failure.kind !== 'error' || failure.stuck) await this.#handle(disk, command, failure, history);
      else if (dropped !== undefined && (continuations++ >= FLUSH_CONTINUATIONS || this.#stopping)) throw dropped;
      else this.#channel.log.error(`${disk.name}: data is lost: ${failure.words}; flushing what is left`);
    }
    if (dropped !== undefined) throw dropped;
  }

  #transferCommand(
    disk: AtaDisk,
    { operation, block, data }: Transfer,
    may: { readonly dma: boolean; readonly multiple: boolean },
  ): Command {
    const { identity, multiple } = disk.device;
    return transferCommand({
      operation,
      lba: block,
      sectors: data.length / identity.sectorBytes,
      sectorBytes: identity.sectorBytes,
      dma: may.dma,
      multiple: may.multiple ? multiple : 0,
      lba48: identity.lba48,
      timeoutUs: this.#limits.timeoutUs,
    });
  }

  /** Decides, says so once, does it. @throws DeviceError when the request is not tried again. */
  async #handle(disk: AtaDisk, command: Command, failure: Failure, history: History): Promise<void> {
    const remedy = autopsy(failure, history, this.#limits, disk.device.identity.removable);
    remember(history, failure, remedy);
    if (isDma(command) && TRANSPORT.includes(failure.kind)) disk.noteDmaFailure();
    const how = failure.kind === 'error' && remedy.again && !isTrim(command) ? ', sector by sector' : '';
    const plan = this.#stopping ? 'not tried again, the driver stops' : `${remedy.words}${how}`;
    this.#channel.log.warn(`${disk.name}: ${failure.words}; ${plan}`);
    const error = failureToError(disk.name, failure, failingSector(command, failure, disk.info.blockSizeBytes));
    if (remedy.offline) {
      // What drives the bus for none of two devices drives it for neither.
      for (const lost of failure.kind === 'gone' ? this.disks : [disk]) lost.takeOffline(error);
      throw error;
    }
    if (remedy.reset) {
      await recover(this.#channel, this.disks, command.protocol === 'pio-in');
      if (++disk.resetsInARow > OFFLINE_AFTER_RESETS) disk.takeOffline(error);
    }
    if (!remedy.again || this.#stopping) throw error;
  }

  /**
   * A command was refused with MULTIPLE and done without. Where the setting is gone although nobody reset the device,
   * it was without power, and with the setting went the write cache.
   */
  async #checkMultiple(disk: AtaDisk): Promise<void> {
    const { name, position, multiple } = disk.device;
    const { log } = this.#channel;
    try {
      const identity = await identify(this.#channel, position, name);
      if (identity.currentMultiple === multiple) {
        if (disk.countMultipleRefusal())
          log.warn(`${name}: refuses MULTIPLE commands again and again; going on without`);
        return;
      }
      const words = 'its settings are gone though nobody reset it; it was without power';
      log.error(`${name}: ${words}`);
      if (disk.info.volatileCache && disk.unflushedWrites) {
        disk.poison(new DeviceError('fault', `${name}: ${words}, and writes that were not flushed may be lost`));
      }
      const writeCache = disk.info.volatileCache ? 'on' : 'off';
      disk.device = await configure(
        this.#channel,
        { name, position, identity },
        { multiple: true, writeCache, dmaMode: disk.dmaMode },
      );
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      log.warn(`${name}: looking at its settings failed: ${error.message}`);
    }
  }
}
