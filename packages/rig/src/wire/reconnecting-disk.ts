import {
  type BlockDevice,
  type BlockDeviceInfo,
  type Clock,
  checkBlockRange,
  DeviceError,
  duration,
  isDeviceError,
  type Logger,
  type WriteOptions,
} from '@ring3/core';
import { Outage } from './outage.ts';
import { RangeQueue } from './range-queue.ts';
import { describeDisk, differences } from './same-disk.ts';
import { ConnectionLostError } from './wire-error.ts';
import { type JournalPiece, WriteJournal } from './write-journal.ts';

/**
 * A disk that stays the same object for its users while the process behind it dies and comes back.
 *
 * What is promised over such a death is what a BlockDevice promises without one; the rules that bring it about:
 *
 * 1. An answer counts only while the link that it came over is the current one. All other requests are unacknowledged,
 *    whatever the device did with them, and are repeated.
 * 2. Writes that overlap are given to the device one after the other. So the order in which two of them are
 *    acknowledged is the order in which the device did them.
 * 3. A write that is acknowledged and neither FUA nor flushed is in the journal; a newer acknowledged write, FUA or not,
 *    removes the blocks under it from the journal. So by 2 the journal holds for each block the newest acknowledged
 *    content or, if that stands on the medium for certain, nothing: replaying it never hides anything newer, in
 *    particular no FUA write, not even if the power fails in the middle of the replay.
 * 4. A flush that succeeds removes what was acknowledged before it was issued over this link, and no more: what was
 *    acknowledged while it was under way may not be covered by it.
 * 5. After a reconnect the journal is written first, then the unacknowledged writes are repeated, then everything else
 *    goes on. So whoever has read the new content of an unacknowledged write does not read the old one afterwards.
 * 6. What the journal cannot restore is in doubt: reads of it fail until it is written anew, and every flush fails until
 *    a later reconnect restores it.
 *
 * A disk without a volatile cache has its acknowledged writes on the medium: there is no journal then.
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

interface Link {
  readonly disk: BlockDevice;
  readonly generation: number;
  /** Tells that it is open or lost. */
  readonly settled: () => void;
  stage: 'replaying' | 'repeating' | 'open';
  /** The flush that empties the journal, while it is under way. */
  makingRoom: Promise<void> | undefined;
}

/** Replayed pieces that are on their way at a time. */
const REPLAY_DEPTH = 16;

/**
 * See the head of this file. Users see a {@link BlockDevice}; who watches the device host calls {@link connect},
 * {@link disconnect} and {@link withdraw}. The disks that it is connected to must settle every call, those that were
 * cut off with {@link ConnectionLostError}, and leave the buffers alone afterwards.
 */
export class ReconnectingDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  /** Resolves with the reason when the disk is gone for good. */
  readonly withdrawn: Promise<string>;
  readonly #name: string;
  readonly #log: Logger;
  readonly #outage: Outage<Link>;
  readonly #patienceUs: number;
  readonly #writing = new RangeQueue();
  readonly #journal: WriteJournal | undefined;
  #link: Link | undefined;
  #unsettledWrites = 0;
  #doubt: DeviceError | undefined;
  #ended: DeviceError | undefined;
  #resolveWithdrawn: (reason: string) => void = () => {};
  readonly #counts = { connects: 0, replayedWrites: 0, repeatedRequests: 0 };

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
    this.#startOutage('it was not connected yet');
  }

  get state(): ReconnectingDiskState {
    if (this.#ended !== undefined) return 'ended';
    if (this.#link === undefined) return 'away';
    return this.#link.stage === 'open' ? 'connected' : 'recovering';
  }

  /** Counters since the start, for people. */
  get statistics(): Readonly<Record<string, number>> {
    return { ...this.#counts, waiting: this.#outage.waiting, journalBytes: this.#journal?.bytes ?? 0 };
  }

  /**
   * The device host is there (again). The one before must be dead, or done with its calls: a write that it does later
   * would undo newer ones. Another disk than the one of {@link info} is refused and ends this one.
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
    if (this.#link !== undefined) this.disconnect('another connection took its place');
    this.#counts.connects += 1;
    return new Promise((settled) => {
      const link: Link = { disk, generation, settled, stage: 'replaying', makingRoom: undefined };
      this.#link = link;
      void this.#recover(link);
    });
  }

  /** The device host is away. @param disk if given, only this one: nothing happens when another is connected by now. */
  disconnect(reason: string, disk?: BlockDevice): void {
    if (this.#link === undefined || (disk !== undefined && this.#link.disk !== disk)) return;
    this.#link.settled();
    this.#link = undefined;
    this.#log.warn(`${this.#name}: its driver is away: ${reason}`);
    this.#startOutage(reason);
  }

  /** The disk is gone for good: its driver took it offline. Requests fail with `gone` and this reason. */
  withdraw(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = new DeviceError('gone', reason);
    this.#link?.settled();
    this.#link = undefined;
    this.#journal?.clear();
    this.#outage.endForever(this.#ended);
    this.#resolveWithdrawn(reason);
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    checkBlockRange(this.info, block, into.length);
    for (;;) {
      const link = this.#usable(false) ?? (await this.#outage.wait(false));
      this.#refuseDoubtful(block, into.length / this.info.blockSizeBytes);
      try {
        await link.disk.read(block, into);
        return this.#mustCount(link);
      } catch (error) {
        this.#throwUnlessLost(link, error);
      }
    }
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    checkBlockRange(this.info, block, from.length);
    const entering = this.#writing.enter(block, block + from.length / this.info.blockSizeBytes);
    const leave = entering instanceof Promise ? await entering : entering;
    let first = this.#usable(false);
    try {
      first ??= await this.#outage.wait(false);
      this.#unsettledWrites += 1;
    } catch (error) {
      leave();
      throw error;
    }
    try {
      await this.#writeUntilDone(first, block, from, fua);
    } finally {
      this.#unsettledWrites -= 1;
      leave();
      this.#openWhenRepeated();
    }
  }

  async flush(): Promise<void> {
    for (;;) {
      const link = this.#usable(false) ?? (await this.#outage.wait(false));
      try {
        return await this.#flushOver(link);
      } catch (error) {
        this.#throwUnlessLost(link, error);
      }
    }
  }

  async #writeUntilDone(first: Link, block: number, from: Uint8Array, fua: boolean): Promise<void> {
    for (let link = first; ; link = this.#usable(true) ?? (await this.#outage.wait(true))) {
      try {
        return await this.#writeOver(link, block, from, fua);
      } catch (error) {
        this.#throwUnlessLost(link, error);
      }
    }
  }

  async #writeOver(link: Link, block: number, from: Uint8Array, fua: boolean): Promise<void> {
    const journal = this.#journal;
    const through = fua || (journal !== undefined && from.length > journal.limitBytes / 4);
    await link.disk.write(block, from, { fua: through });
    this.#mustCount(link);
    if (journal === undefined) return;
    if (through) return journal.forget(block, from.length / this.info.blockSizeBytes);
    while (!journal.hasRoom(from.length)) {
      await this.#makeRoom(link);
      this.#mustCount(link);
    }
    journal.add(block, from);
    if (journal.bytes > journal.limitBytes / 2) this.#makeRoom(link).catch(() => {}); // The next flush tells.
  }

  /** Nobody has acknowledged what waits for this, so a failure is its own. */
  #makeRoom(link: Link): Promise<void> {
    link.makingRoom ??= this.#flushOver(link).finally(() => {
      link.makingRoom = undefined;
    });
    return link.makingRoom;
  }

  async #flushOver(link: Link): Promise<void> {
    if (this.#doubt !== undefined) throw this.#doubt;
    const mark = this.#journal?.mark ?? 0;
    await link.disk.flush();
    this.#mustCount(link);
    this.#journal?.dropThrough(mark);
  }

  /** The link, if requests may be made over it now; repeated writes may before others. */
  #usable(repeated: boolean): Link | undefined {
    const stage = this.#link?.stage;
    return stage === 'open' || (repeated && stage === 'repeating') ? this.#link : undefined;
  }

  #mustCount(link: Link): void {
    if (link !== this.#link) throw new ConnectionLostError('the answer came too late');
  }

  /** Returns when the request is to be repeated. */
  #throwUnlessLost(link: Link, error: unknown): void {
    if (link === this.#link) {
      if (!(error instanceof ConnectionLostError)) throw error;
      this.disconnect(error.message, link.disk);
    }
    this.#counts.repeatedRequests += 1;
  }

  #startOutage(reason: string): void {
    const words = `${this.#name}: its driver is away (${reason}) and did not come back within`;
    this.#outage.begin(() => `${words} ${duration(this.#patienceUs)}`);
  }

  async #recover(link: Link): Promise<void> {
    this.#doubt = undefined;
    const pieces = [...(this.#journal?.pieces ?? [])];
    for (let at = 0; at < pieces.length && this.#link === link; at += REPLAY_DEPTH) {
      await Promise.all(pieces.slice(at, at + REPLAY_DEPTH).map((piece) => this.#restore(link, piece)));
    }
    if (this.#link !== link) return;
    this.#counts.replayedWrites += pieces.length;
    link.stage = 'repeating';
    this.#outage.admitFirst(link);
    this.#openWhenRepeated();
  }

  async #restore(link: Link, piece: JournalPiece): Promise<void> {
    try {
      await link.disk.write(piece.block, piece.data);
      this.#mustCount(link);
      piece.doubtful = false;
    } catch (error) {
      if (link !== this.#link) return;
      if (error instanceof ConnectionLostError) this.disconnect(error.message, link.disk);
      else this.#fallIntoDoubt(piece, error);
    }
  }

  #fallIntoDoubt(piece: JournalPiece, cause: unknown): void {
    piece.doubtful = true;
    this.#doubt = this.#inDoubt(piece, cause);
    this.#log.error(this.#doubt.message);
  }

  #inDoubt({ block, blocks }: JournalPiece, cause: unknown): DeviceError {
    const code = isDeviceError(cause) ? cause.code : 'fault';
    const what = `${this.#name}: ${blocks} blocks at ${block} were written and acknowledged, but could not be restored`;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new DeviceError(code, `${what} after its driver had died: ${why}`, { cause, details: { block } });
  }

  #refuseDoubtful(block: number, blocks: number): void {
    if (this.#doubt === undefined) return;
    const piece = this.#journal?.findDoubtful(block, blocks);
    if (piece !== undefined) throw this.#inDoubt(piece, this.#doubt.cause);
  }

  #openWhenRepeated(): void {
    const link = this.#link;
    if (link === undefined || link.stage !== 'repeating' || this.#unsettledWrites > 0) return;
    link.stage = 'open';
    this.#outage.end(link);
    link.settled();
    this.#log.info(`${this.#name}: connected, life ${link.generation} of its driver`, { ...this.statistics });
  }
}
