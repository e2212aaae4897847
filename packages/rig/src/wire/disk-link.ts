import { type BlockDevice, DeviceError, isDeviceError } from '@ring3/core';
import { ConnectionLostError } from './wire-error.ts';
import type { JournalPiece, WriteJournal } from './write-journal.ts';

/** Replayed pieces that are on their way at a time. */
const REPLAY_DEPTH = 16;

/**
 * One life of the disk behind a ReconnectingDisk, and what is written to the journal during it. The rules are in
 * reconnecting-disk.ts. After {@link cut} no answer counts: what was asked fails with {@link ConnectionLostError}.
 */
export class DiskLink {
  readonly disk: BlockDevice;
  readonly #name: string;
  readonly #journal: WriteJournal | undefined;
  #lost = false;
  #doubt: DeviceError | undefined;
  #makingRoom: Promise<void> | undefined;

  /** @param journal only for a disk with a volatile cache. */
  constructor(name: string, disk: BlockDevice, journal: WriteJournal | undefined) {
    this.#name = name;
    this.disk = disk;
    this.#journal = journal;
  }

  /** Whether its time is over. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Its time is over. */
  cut(): void {
    this.#lost = true;
  }

  /** @throws what stands in doubt, if one of these blocks does. */
  async read(block: number, into: Uint8Array): Promise<void> {
    this.#refuseDoubtful(block, into.length / this.disk.info.blockSizeBytes);
    await this.disk.read(block, into);
    this.#mustCount();
  }

  /** Writes and remembers; nobody else may write to these blocks meanwhile. */
  async write(block: number, from: Uint8Array, fua: boolean): Promise<void> {
    const journal = this.#journal;
    // What would fill the journal by itself goes to the medium at once.
    const through = fua || (journal !== undefined && from.length > journal.limitBytes / 4);
    await this.disk.write(block, from, { fua: through });
    this.#mustCount();
    if (journal === undefined) return;
    if (through) journal.forget(block, from.length / this.disk.info.blockSizeBytes);
    else await this.#remember(journal, block, from);
  }

  /**
   * Trims, or does nothing if this life of the disk knows no trim; nobody else may write to these blocks meanwhile.
   * What is remembered of the blocks is of no use afterwards, and what stands in doubt is no longer missed.
   */
  async trim(block: number, blockCount: number): Promise<void> {
    if (this.disk.info.trim !== true) return;
    await this.disk.trim?.(block, blockCount);
    this.#mustCount();
    this.#journal?.forget(block, blockCount);
  }

  async flush(): Promise<void> {
    if (this.#doubt !== undefined) throw this.#doubt;
    const mark = this.#journal?.mark ?? 0;
    await this.disk.flush();
    this.#mustCount();
    this.#journal?.dropThrough(mark);
  }

  /**
   * Writes the journal, before anything else is done on this link.
   * @returns how many pieces were written; what could not be is in doubt.
   * @throws ConnectionLostError
   */
  async replay(): Promise<number> {
    const pieces = [...(this.#journal?.pieces ?? [])];
    for (let at = 0; at < pieces.length; at += REPLAY_DEPTH) {
      await Promise.all(pieces.slice(at, at + REPLAY_DEPTH).map((piece) => this.#restore(piece)));
    }
    this.#mustCount();
    return pieces.length;
  }

  async #remember(journal: WriteJournal, block: number, from: Uint8Array): Promise<void> {
    while (!journal.hasRoom(from.length)) {
      await this.#makeRoom();
      this.#mustCount();
    }
    journal.add(block, from);
    // Early, so that writes go on meanwhile. If this fails, so does every later flush, and the caller hears of that.
    if (journal.bytes > journal.limitBytes / 2) this.#makeRoom().catch(() => {});
  }

  #makeRoom(): Promise<void> {
    this.#makingRoom ??= this.flush().finally(() => {
      this.#makingRoom = undefined;
    });
    return this.#makingRoom;
  }

  async #restore(piece: JournalPiece): Promise<void> {
    try {
      await this.disk.write(piece.block, piece.data);
      piece.doubtful = false;
    } catch (error) {
      if (this.#lost || error instanceof ConnectionLostError) throw error;
      piece.doubtful = true;
      this.#doubt = this.#inDoubt(piece, error);
    }
  }

  #mustCount(): void {
    if (this.#lost) throw new ConnectionLostError('the answer came too late');
  }

  #refuseDoubtful(block: number, blocks: number): void {
    if (this.#doubt === undefined) return;
    const piece = this.#journal?.findDoubtful(block, blocks);
    if (piece !== undefined) throw this.#inDoubt(piece, this.#doubt.cause);
  }

  #inDoubt({ block, blocks }: JournalPiece, cause: unknown): DeviceError {
    const code = isDeviceError(cause) ? cause.code : 'fault';
    const what = `${this.#name}: ${blocks} blocks at ${block} were written and acknowledged, but could not be restored`;
    const why = cause instanceof Error ? cause.message : String(cause);
    return new DeviceError(code, `${what} after the driver had died: ${why}`, { cause, details: { block } });
  }

  /** Why flushes fail, if they do for what could not be restored. */
  get doubt(): DeviceError | undefined {
    return this.#doubt;
  }
}
