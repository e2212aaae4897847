import { BlockHistory, SEEN, type Version, type WriteRecord } from './block-history.ts';
import { diagnose, sameBytes } from './broken-law.ts';

/** What the oracle watches over. */
export interface WriteOracleOptions {
  readonly blockSizeBytes: number;
  /** What a block held before the first write; `undefined` for "not known". Default: zeros. */
  readonly initial?: (block: number) => Uint8Array | undefined;
}

/** A request whose end the oracle wants to hear of. */
export interface Watched {
  acknowledged(): void;
  failed(): void;
}

/** A read whose data the oracle wants to see. */
export interface WatchedRead {
  /** @throws BrokenLaw when the data is none that the blocks may have. */
  returned(data: Uint8Array): void;
  failed(): void;
}

/**
 * What a write means, as a judge: unacknowledged, each block is old or new; acknowledged, it is what reads return;
 * acknowledged and flushed (or written with FUA), it survives a loss of power. Every fault test uses this class.
 *
 * Tell it of each request when it is issued and when it ends, and of each loss of power; it throws {@link BrokenLaw},
 * with the law in words, as soon as data is seen that no lawful device returns. Requests may overlap as they like.
 */
export class WriteOracle {
  readonly #blockSizeBytes: number;
  readonly #initial: (block: number) => Uint8Array | undefined;
  readonly #histories = new Map<number, BlockHistory>();
  /** Acknowledged, but gone when the power goes now. */
  readonly #unflushed = new Set<WriteRecord>();
  readonly #inFlight = new Set<WriteRecord>();
  /** Writes that were in flight when the power was lost and whose late acknowledgement may be older than the loss. */
  readonly #doubtful = new WeakSet<WriteRecord>();
  readonly #reads = new Set<number>();
  #flushesInFlight = 0;
  #now = 0;
  #writes = 0;
  #trims = 0;
  #flushes = 0;
  #powerLostAt = -1;

  constructor(options: WriteOracleOptions) {
    this.#blockSizeBytes = options.blockSizeBytes;
    const zeros = new Uint8Array(options.blockSizeBytes);
    this.#initial = options.initial ?? (() => zeros);
  }

  /** A write is issued now; the data is copied. */
  write(block: number, data: Uint8Array, options: { readonly fua?: boolean } = {}): Watched {
    const write = this.#issue(`write ${++this.#writes}`, options.fua === true);
    for (const [number, part] of this.#blocks(block, new Uint8Array(data))) {
      const history = this.#history(number);
      history.prune(this.#oldestRead());
      history.versions.push({ write, data: part });
    }
    return { acknowledged: () => this.#acknowledge(write), failed: () => this.#end(write) };
  }

  /** A trim is issued now: until a write that is issued after its end, the blocks read as anything. */
  trim(block: number, blockCount: number): Watched {
    const trim = this.#issue(`trim ${++this.#trims}`, false);
    for (let number = block; number < block + blockCount; number += 1) this.#history(number).trim(trim);
    return { acknowledged: () => this.#end(trim), failed: () => this.#end(trim) };
  }

  /** A flush is issued now: it covers the writes that were acknowledged before. */
  flush(): Watched {
    const label = `flush ${++this.#flushes}`;
    const covered = [...this.#unflushed];
    this.#flushesInFlight++;
    return {
      acknowledged: () => {
        this.#flushesInFlight--;
        for (const write of covered) this.#makeDurable(write, label);
      },
      failed: () => {
        this.#flushesInFlight--;
      },
    };
  }

  /** A read of `block` and what follows is issued now. */
  read(block: number): WatchedRead {
    const beganAt = ++this.#now;
    this.#reads.add(beganAt);
    return {
      returned: (data) => {
        this.#reads.delete(beganAt);
        for (const [number, part] of this.#blocks(block, data)) this.#judge(number, part, beganAt);
      },
      failed: () => void this.#reads.delete(beganAt),
    };
  }

  /** Judges data that was read while nothing else was going on. @throws BrokenLaw */
  check(block: number, data: Uint8Array): void {
    this.read(block).returned(data);
  }

  /**
   * The power was lost. Tell of writes that failed with it before or after; writes that are neither acknowledged nor
   * failed are taken to be replayed.
   * @param options.lateAcknowledgements `new` (default): an acknowledgement that arrives from now on was given after the
   *   loss. `doubtful`: it may have been on its way before, as over a socket; then only FUA writes must be found.
   */
  powerLost(options: { readonly lateAcknowledgements?: 'new' | 'doubtful' } = {}): void {
    this.#powerLostAt = ++this.#now;
    for (const write of this.#unflushed) write.standingSince = undefined;
    this.#unflushed.clear();
    if (options.lateAcknowledgements === 'doubtful') for (const write of this.#inFlight) this.#doubtful.add(write);
  }

  #issue(label: string, fua: boolean): WriteRecord {
    const endedAt = Number.POSITIVE_INFINITY;
    const issuedAt = ++this.#now;
    const write = { label, fua, issuedAt, endedAt, standingSince: undefined, durableBy: undefined };
    this.#inFlight.add(write);
    return write;
  }

  #acknowledge(write: WriteRecord): void {
    this.#end(write);
    if (write.fua) this.#makeDurable(write, 'FUA');
    else if (!this.#doubtful.has(write)) {
      write.standingSince = this.#now;
      this.#unflushed.add(write);
    }
  }

  #end(write: WriteRecord): void {
    if (!this.#inFlight.delete(write)) throw new Error(`${write.label} has ended already`);
    write.endedAt = ++this.#now;
  }

  #makeDurable(write: WriteRecord, by: string): void {
    this.#unflushed.delete(write);
    write.durableBy ??= by;
    write.standingSince ??= ++this.#now;
  }

  #judge(block: number, data: Uint8Array, beganAt: number): void {
    const history = this.#history(block);
    const fits = (version: Version) => version.data === undefined || sameBytes(version.data, data);
    const seen = history.readable(beganAt).find(fits);
    if (seen === undefined) {
      const elsewhere = this.#histories;
      throw diagnose({ block, data, history, readBeganAt: beganAt, powerLostAt: this.#powerLostAt, elsewhere });
    }
    this.#settle(history, seen, data, beganAt);
    history.prune(this.#oldestRead());
  }

  /**
   * After a loss of power a block is what it turns out to be: what was read once, when nothing was on its way any more,
   * is there for good. What was trimmed turns out anew each time.
   */
  #settle(history: BlockHistory, seen: Version, data: Uint8Array, beganAt: number): void {
    if (history.versions.some(({ trimmed }) => trimmed)) return;
    const undecided = history.versions.length > 1 || seen.data === undefined;
    const atRest = history.versions.every(({ write }) => write.endedAt <= Math.max(this.#powerLostAt, 0));
    if (!undecided || !atRest || beganAt < this.#powerLostAt || this.#flushesInFlight > 0) return;
    history.settle({ write: survivor(seen.write.label, Math.max(this.#powerLostAt, 0)), data: new Uint8Array(data) });
  }

  #history(block: number): BlockHistory {
    let history = this.#histories.get(block);
    if (history === undefined) {
      history = new BlockHistory({ write: survivor('the initial content', 0), data: this.#initial(block) });
      this.#histories.set(block, history);
    }
    return history;
  }

  #oldestRead(): number {
    let oldest = this.#now + 1;
    for (const beganAt of this.#reads) oldest = Math.min(oldest, beganAt);
    return oldest;
  }

  *#blocks(block: number, data: Uint8Array): Generator<[number, Uint8Array]> {
    const size = this.#blockSizeBytes;
    if (data.length % size !== 0) throw new RangeError(`${data.length} bytes are not whole blocks of ${size}`);
    for (let at = 0; at < data.length; at += size) yield [block + at / size, data.subarray(at, at + size)];
  }
}

/** Content that was there at `at` and is on stable storage. */
function survivor(label: string, at: number): WriteRecord {
  return { label, fua: false, issuedAt: at, endedAt: at, standingSince: at, durableBy: SEEN };
}
