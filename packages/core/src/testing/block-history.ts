/** What is known of one write (or of what was there before the first). Times count the oracle's events. */
export interface WriteRecord {
  /** For messages: `write 12`. */
  readonly label: string;
  readonly fua: boolean;
  readonly issuedAt: number;
  /** When it was acknowledged or failed; infinite while it is in flight. */
  endedAt: number;
  /** Since when reads must return it or something newer; `undefined` while nobody promised that, or no longer does. */
  standingSince: number | undefined;
  /** What made it survive a loss of power: `flush 3`, `FUA`. */
  durableBy: string | undefined;
}

/** In {@link WriteRecord.durableBy}: no write, but what the block was seen to hold. */
export const SEEN = 'seen';

/** One content that a block may have. */
export interface Version {
  readonly write: WriteRecord;
  /** `undefined`: not known, so anything fits. */
  readonly data: Uint8Array | undefined;
  /** The content after a trim: anything fits, each time anew. */
  readonly trimmed?: true;
}

/** How many contents that a block can no longer have are remembered, for messages. */
const REMEMBERED = 8;

/** What one block may contain. */
export class BlockHistory {
  /** Every content that reads may return, now or after a loss of power. */
  versions: Version[];
  /** Contents that it had before, the latest last. */
  readonly former: Version[] = [];

  constructor(initial: Version) {
    this.versions = [initial];
  }

  /** What a read that began at `since` may return: nothing that a write acknowledged before has replaced. */
  readable(since: number): Version[] {
    const newest = this.#newest(since, () => true);
    return this.versions.filter(({ write }) => newest === undefined || write.endedAt >= newest.issuedAt);
  }

  /** The write that replaced `version` for reads that began at `since`. */
  replacedBy(version: Version, since: number): WriteRecord | undefined {
    const newest = this.#newest(since, () => true);
    return newest !== undefined && newest.issuedAt > version.write.endedAt ? newest : undefined;
  }

  /** Forgets what not even a loss of power can bring back; `since` is the begin of the oldest read that is on its way. */
  prune(since: number): void {
    const durable = this.#newest(since, (write) => write.durableBy !== undefined);
    if (durable !== undefined) this.#keep(({ write }) => write.endedAt >= durable.issuedAt);
  }

  /** The block was trimmed, or is being trimmed now; trims that have ended before say nothing more than this one. */
  trim(write: WriteRecord): void {
    this.versions = this.versions.filter((version) => !version.trimmed || version.write.endedAt > write.issuedAt);
    this.versions.push({ write, data: undefined, trimmed: true });
  }

  /** Replaces all that it may contain by what was seen. */
  settle(seen: Version): void {
    this.#keep(() => false);
    this.versions.push(seen);
  }

  /** Of the writes that reads begun at `since` must find (or newer ones), the one that was issued last. */
  #newest(since: number, counts: (write: WriteRecord) => boolean): WriteRecord | undefined {
    let newest: WriteRecord | undefined;
    for (const { write } of this.versions) {
      if (write.standingSince === undefined || write.standingSince >= since || !counts(write)) continue;
      if (newest === undefined || write.issuedAt > newest.issuedAt) newest = write;
    }
    return newest;
  }

  #keep(wanted: (version: Version) => boolean): void {
    const kept = this.versions.filter(wanted);
    if (kept.length === this.versions.length) return;
    this.former.push(...this.versions.filter((version) => !kept.includes(version)));
    this.former.splice(0, this.former.length - REMEMBERED);
    this.versions = kept;
  }
}
