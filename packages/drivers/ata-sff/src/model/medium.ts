import { DeviceError } from '@ring3/core';
import { SECTOR_BYTES } from './ata-registers.ts';
import type { Defects } from './defects.ts';
import type { SectorStore } from './sector-store.ts';
import { seededRandom } from './seeded-random.ts';
import { WriteCache } from './write-cache.ts';

/** How the medium of a disk behaves beside what it stores. */
export interface MediumOptions {
  readonly cacheSectors: number;
  readonly survivors: number;
  readonly seed: number;
  /** Decides what becomes of trimmed sectors. Default 1. */
  readonly trimSeed?: number;
}

/** What a flush found: a sector that could not be written, or a store that does not work. */
export type FlushResult =
  | { readonly outcome: 'durable' }
  | { readonly outcome: 'bad-sector'; readonly lba: number }
  | { readonly outcome: 'store-failed'; readonly reason: unknown };

const DURABLE: FlushResult = { outcome: 'durable' };

/** A full cache makes room for a quarter of itself, but not for more sectors than this at a time. */
const ROOM_SECTORS = 2048;

/** Trimmed sectors live or die by groups of so many, as the pages of a flash chip do. */
const TRIM_GROUP_SECTORS = 8;
const ZEROS = new Uint8Array(ROOM_SECTORS * SECTOR_BYTES);

/**
 * The medium of a disk: a store behind a volatile write cache, with the bad sectors of the defects.
 * Writes stay in the cache until they are flushed, written through, or pushed out by newer ones, the oldest first.
 */
export class Medium {
  readonly store: SectorStore;
  readonly #cache = new WriteCache();
  readonly #options: MediumOptions;
  readonly #defects: Defects;
  readonly #trimChoice: () => number;
  /** Bad sectors that the cache has anew: they can be read, and are healed when that reaches the medium. */
  readonly #rewritten = new Set<number>();
  #powered = true;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(store: SectorStore, options: MediumOptions, defects: Defects) {
    this.store = store;
    this.#options = options;
    this.#defects = defects;
    this.#trimChoice = seededRandom(options.trimSeed ?? 1);
  }

  /** Sectors that a loss of power would lose. */
  get dirtySectors(): number {
    return this.#cache.size;
  }

  /** The first sector of the range that cannot be read, or -1. */
  firstUnreadable(lba: number, count: number): number {
    let first = -1;
    for (const bad of this.#unreadableWithin(lba, count)) {
      if (!this.#rewritten.has(bad) && (first < 0 || bad < first)) first = bad;
    }
    return first;
  }

  /** Reads sectors, the newest content of each. @throws Error when the store fails. */
  read(lba: number, into: Uint8Array): void {
    this.store.read(lba, into);
    this.#cache.overlay(lba, into);
  }

  /** Takes sectors into the cache. @throws Error when the store fails while older ones make room. */
  write(lba: number, from: Uint8Array): void {
    for (const bad of this.#unreadableWithin(lba, from.length / SECTOR_BYTES)) this.#rewritten.add(bad);
    this.#cache.put(lba, from);
    if (this.#cache.size > this.#options.cacheSectors) this.#evict();
  }

  /**
   * Gives sectors up: they read as zeros, or, unless `allZero`, some go on as they are. It is durable when a write would be.
   * @throws Error when the store fails while older sectors make room.
   */
  trim(lba: number, count: number, allZero: boolean): void {
    const step = allZero ? ROOM_SECTORS : TRIM_GROUP_SECTORS;
    for (let at = lba; at < lba + count; ) {
      const end = Math.min(lba + count, at - (at % step) + step);
      if (allZero || this.#trimChoice() < 0.5) this.write(at, ZEROS.subarray(0, (end - at) * SECTOR_BYTES));
      at = end;
    }
  }

  /** Makes everything durable that was written before. */
  flush(): Promise<FlushResult> {
    return this.#commit(this.#cache.all());
  }

  /** Makes a range durable, and nothing else: force unit access. */
  writeThrough(lba: number, count: number): Promise<FlushResult> {
    return this.#commit(this.#cache.within(lba, count));
  }

  /** The power goes: the cache is lost, except for what happens to reach the medium in this moment. */
  cutPower(): void {
    this.#powered = false;
    const random = seededRandom(this.#options.seed);
    const survivors = this.#cache.all().filter(() => random() < this.#options.survivors);
    this.#writeBack(survivors);
    this.#cache.clear();
    this.#rewritten.clear();
  }

  /** The power is back. */
  powerOn(): void {
    this.#powered = true;
  }

  /**
   * Flushes, unless the power is gone, and closes the store. Sectors that cannot be written are lost.
   * @throws DeviceError `fault` when the store fails.
   */
  async close(): Promise<void> {
    await this.#pending;
    let result: FlushResult = DURABLE;
    if (this.#powered)
      do result = await this.flush();
      while (result.outcome === 'bad-sector');
    const lost = this.dirtySectors;
    await this.store.close();
    if (result.outcome !== 'store-failed') return;
    const message = `${lost} sectors that were written last did not reach the image: ${result.reason}`;
    throw new DeviceError('fault', message, { cause: result.reason });
  }

  #commit(sectors: readonly number[]): Promise<FlushResult> {
    const work = this.#commitNow(sectors);
    this.#pending = work;
    return work;
  }

  async #commitNow(sectors: readonly number[]): Promise<FlushResult> {
    const bad = sectors.find((lba) => this.#defects.unwritable.includes(lba));
    // A sector that cannot be written is given up: the next flush goes on behind it (ATA/ATAPI-6 section 8.12).
    const good = bad === undefined ? sectors : sectors.filter((lba) => lba < bad);
    try {
      await this.store.commit(this.#cache.runs(good));
    } catch (reason) {
      return { outcome: 'store-failed', reason };
    }
    this.#settle(good);
    if (bad === undefined) return DURABLE;
    this.#cache.drop([bad]);
    return { outcome: 'bad-sector', lba: bad };
  }

  #evict(): void {
    const { unwritable } = this.#defects;
    const { cacheSectors } = this.#options;
    const surplus = this.#cache.size - cacheSectors;
    const room = Math.min(Math.ceil(cacheSectors / 4), ROOM_SECTORS);
    this.#writeBack(this.#cache.oldest(surplus + room).filter((lba) => !unwritable.includes(lba)));
  }

  #writeBack(sectors: readonly number[]): void {
    for (const { lba, data } of this.#cache.runs(sectors)) this.store.write(lba, data);
    this.#settle(sectors);
  }

  /** The medium has these sectors now; disks put a spare one in the place of a bad one that is written anew. */
  #settle(sectors: readonly number[]): void {
    this.#cache.drop(sectors);
    if (this.#rewritten.size === 0) return;
    const healed = new Set(sectors.filter((lba) => this.#rewritten.delete(lba)));
    this.#defects.unreadable = this.#defects.unreadable.filter((lba) => !healed.has(lba));
  }

  #unreadableWithin(lba: number, count: number): readonly number[] {
    const { unreadable } = this.#defects;
    return unreadable.length === 0 ? unreadable : unreadable.filter((bad) => bad >= lba && bad < lba + count);
  }
}
