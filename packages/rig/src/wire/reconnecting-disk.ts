import {
  type BlockDevice,
  type BlockDeviceInfo,
  type Clock,
  checkBlockRange,
  checkBlocks,
  DeviceError,
  duration,
  type Logger,
  type WriteOptions,
} from '@ring3/core';
import { DiskLink } from './disk-link.ts';
import { Outage } from './outage.ts';
import { RangeQueue } from './range-queue.ts';
import { describeDisk, differences } from './same-disk.ts';
import { ConnectionLostError } from './wire-error.ts';
import { WriteJournal } from './write-journal.ts';

/**
 * A disk that stays the same object for its users while the process behind it dies and comes back.
 *
 * What is promised over such a death is what a BlockDevice promises without one. The rules that bring it about:
 *
 * 1. An answer counts only while the link that it came over is the current one. Every other request is unacknowledged,
 *    whatever the device did with it, and is repeated.
 * 2. Writes that overlap are given to the device one after the other. So the order in which two of them are
 *    acknowledged is the order in which the device did them.
 * 3. An acknowledged write that is neither FUA nor flushed is in the journal. A newer acknowledged write, FUA or not,
 *    removes the blocks under it from the journal. So, by 2, the journal holds of each block the newest acknowledged
 *    content or, if that is on the medium for certain, nothing: a replay never hides anything newer, in particular no
 *    FUA write, not even for a moment in which the power may fail.
 * 4. A flush that succeeds removes what was acknowledged before it was issued over this link, and no more: what was
 *    acknowledged while it was under way is perhaps not covered by it.
 * 5. After a reconnect the journal is written first, then the unacknowledged writes are repeated, then all else goes
 *    on. So who has read the new content of an unacknowledged write does not read the old one afterwards.
 * 6. A trim is given to the device as a write of its blocks would be: alone on them. So none that is done, or repeated,
 *    destroys what was acknowledged after it. Once acknowledged it removes its blocks from the journal.
 * 7. What the journal cannot restore is in doubt: reads of it fail until it is written anew, and every flush fails until
 *    the driver is attached once more and the journal can be restored.
 *
 * A disk without a volatile cache has its acknowledged writes on the medium: no journal is kept then.
 * docs/service-protocol.md says it for users.
 */

/** What a {@link ReconnectingDisk} may be told. */
export interface ReconnectingDiskOptions {
  /** For messages: `disk0`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an outage may last before requests fail. Default 30 s. */
  readonly patienceUs?: number;
  /** Memory for acknowledged writes that no flush has covered; flushed when half full. Default 32 MiB. */
  readonly journalBytes?: number;
}

/** What a {@link ReconnectingDisk} is doing: `recovering` is between a reconnect and the first new request. */
export type ReconnectingDiskState = 'away' | 'recovering' | 'connected' | 'ended';

interface Connected {
  readonly link: DiskLink;
  readonly generation: number;
  /** Tells that it serves, or never will. */
  readonly settled: () => void;
  stage: 'replaying' | 'repeating' | 'serving';
}

/**
 * The head of this file says what it does. Users see a {@link BlockDevice}; who watches the device host calls
 * {@link connect}, {@link disconnect} and {@link withdraw}, or leaves that to `followDisk`. The disks that it is
 * connected to must settle every call, those that were cut off with {@link ConnectionLostError}, and leave the buffers
 * alone afterwards: the proxies of this package do.
 */
export class ReconnectingDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  /** Resolves with the reason when the disk is gone for good. */
  readonly withdrawn: Promise<string>;
  readonly #name: string;
  readonly #log: Logger;
  readonly #patienceUs: number;
  readonly #outage: Outage<DiskLink>;
  readonly #writing = new RangeQueue();
  readonly #journal: WriteJournal | undefined;
  readonly #counts = { connects: 0, replayedWrites: 0, repeatedRequests: 0 };
  #connected: Connected | undefined;
  #unsettledWrites = 0;
  #ended: DeviceError | undefined;
  #resolveWithdrawn: (reason: string) => void = () => {};

  /** @param info of the disk that will be connected; no other is accepted. */
  constructor(info: BlockDeviceInfo, options: ReconnectingDiskOptions) {
    const { name, clock, log, patienceUs = 30_000_000, journalBytes = 32 * 1024 * 1024 } = options;
    this.info = info;
    this.#name = name;
    this.#log = log;
    this.#patienceUs = patienceUs;
    this.#outage = new Outage(clock, patienceUs);
    this.#journal = info.volatileCache ? new WriteJournal(journalBytes, info.blockSizeBytes) : undefined;
    this.withdrawn = new Promise((resolve) => {
      this.#resolveWithdrawn = resolve;
    });
    this.#beginOutage('it was not connected yet');
  }

  get state(): ReconnectingDiskState {
    if (this.#ended !== undefined) return 'ended';
    if (this.#connected === undefined) return 'away';
    return this.#connected.stage === 'serving' ? 'connected' : 'recovering';
  }

  /** Counters since the start, for people. */
  get statistics(): Readonly<Record<string, number>> {
    return { ...this.#counts, waiting: this.#outage.waiting, journalBytes: this.#journal?.bytes ?? 0 };
  }

  /**
   * The device host is there (again). The one before must be dead, or done with its calls: a write that it does later
   * would undo newer ones. Another disk than that of {@link info} is refused and ends this one.
   * @param generation counts the lives of the device, for messages.
   * @returns when requests are served again, or never will be over this connection: see {@link state}.
   */
  connect(disk: BlockDevice, generation: number): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve();
    const different = differences(this.info, disk.info);
    if (different.length > 0) {
      const words = `${this.#name} was ${describeDisk(this.info)}; what came back is ${describeDisk(disk.info)}`;
      this.withdraw(`${words}: ${different.join(', ')}`);
      return Promise.resolve();
    }
    this.disconnect('another connection took its place');
    this.#counts.connects += 1;
    const link = new DiskLink(this.#name, disk, this.#journal);
    return new Promise((settled) => {
      this.#connected = { link, generation, settled, stage: 'replaying' };
      void this.#recover(this.#connected);
    });
  }

  /** The device host is away. @param disk only this one, if given: nothing happens when another is connected by now. */
  disconnect(reason: string, disk?: BlockDevice): void {
    if (this.#connected === undefined) return;
    if (disk !== undefined && disk !== this.#connected.link.disk) return;
    this.#cut();
    this.#log.warn(`${this.#name}: its driver is away: ${reason}`);
    this.#beginOutage(reason);
  }

  /** The disk is gone for good: its driver took it offline. Requests fail with `gone` and this reason. */
  withdraw(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError('gone', reason);
    this.#cut();
    this.#journal?.clear();
    this.#outage.endForever(this.#ended);
    this.#resolveWithdrawn(reason);
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    checkBlockRange(this.info, block, into.length);
    await this.#untilItCounts((link) => link.read(block, into));
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    checkBlockRange(this.info, block, from.length);
    const entering = this.#writing.enter(block, block + from.length / this.info.blockSizeBytes);
    const leave = entering instanceof Promise ? await entering : entering;
    let attempts = 0;
    try {
      await this.#untilItCounts(
        (link) => {
          if (attempts++ === 0) this.#unsettledWrites += 1;
          return link.write(block, from, fua);
        },
        () => attempts > 0,
      );
    } finally {
      if (attempts > 0) this.#unsettledWrites -= 1;
      leave();
      this.#serveWhenRepeated();
    }
  }

  async flush(): Promise<void> {
    await this.#untilItCounts((link) => link.flush());
  }

  /** Of a disk that knows no trim any more when it comes back, trims do nothing. */
  async trim(block: number, blockCount: number): Promise<void> {
    checkBlocks(this.info, block, blockCount);
    this.#mustTrim(block);
    const entering = this.#writing.enter(block, block + blockCount);
    const leave = entering instanceof Promise ? await entering : entering;
    try {
      await this.#untilItCounts((link) => link.trim(block, blockCount));
    } finally {
      leave();
    }
  }

  #mustTrim(block: number): void {
    const { model, readOnly, trim } = this.info;
    if (trim === true && !readOnly) return;
    const why = readOnly ? 'is read-only' : 'knows no trim';
    throw new DeviceError('unsupported', `${model} ${why}: block ${block} cannot be trimmed`);
  }

  /** Makes a request over one link after the other, until one of them has lived long enough to answer. */
  async #untilItCounts(request: (link: DiskLink) => Promise<void>, first: () => boolean = () => false): Promise<void> {
    for (;;) {
      const link = this.#usable(first()) ?? (await this.#outage.wait(first()));
      try {
        return await request(link);
      } catch (error) {
        if (!link.lost && !(error instanceof ConnectionLostError)) throw error;
        this.#lose(link, error);
        this.#counts.repeatedRequests += 1;
      }
    }
  }

  /** The link, if requests may be made over it now; writes that are repeated may before others. */
  #usable(first: boolean): DiskLink | undefined {
    const stage = this.#connected?.stage;
    return stage === 'serving' || (first && stage === 'repeating') ? this.#connected?.link : undefined;
  }

  /** Its proxy knows before the one who watches the connection. */
  #lose(link: DiskLink, error: unknown): void {
    if (this.#connected?.link === link) this.disconnect(error instanceof Error ? error.message : String(error));
  }

  #cut(): void {
    this.#connected?.link.cut();
    this.#connected?.settled();
    this.#connected = undefined;
  }

  #beginOutage(reason: string): void {
    const words = `${this.#name}: its driver is away (${reason}) and did not come back within`;
    this.#outage.begin(() => `${words} ${duration(this.#patienceUs)}`);
  }

  async #recover(connected: Connected): Promise<void> {
    const { link } = connected;
    try {
      this.#counts.replayedWrites += await link.replay();
    } catch (error) {
      return this.#lose(link, error);
    }
    if (link.lost) return;
    if (link.doubt !== undefined) this.#log.error(link.doubt.message);
    connected.stage = 'repeating';
    this.#outage.admitFirst(link);
    this.#serveWhenRepeated();
  }

  /** Until now no new write was issued over this link: those that are unsettled are the ones to be repeated. */
  #serveWhenRepeated(): void {
    if (this.#connected?.stage !== 'repeating' || this.#unsettledWrites > 0) return;
    const { link, generation, settled } = this.#connected;
    this.#connected.stage = 'serving';
    this.#outage.end(link);
    settled();
    this.#log.info(`${this.#name}: connected, life ${generation} of its driver`, this.statistics);
  }
}
