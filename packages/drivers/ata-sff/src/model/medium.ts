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
}

/** What a flush found: the sector that could not be written, or that the device is broken. */
export type FlushResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly lba?: number; readonly deviceFault: boolean };

/** A full cache makes room for a quarter of itself, but not for more sectors than this at a time. */
const ROOM_SECTORS = 2048;

/**
 * The medium of a disk: a store behind a volatile write cache, with the bad sectors of the defects.
 * Writes stay in the cache until they are flushed, written through, or pushed out by newer ones, the oldest first.
 */
export class Medium {
  readonly store: SectorStore;
  readonly #cache = new WriteCache();
  readonly #options: MediumOptions;
  readonly #defects: Defects;
  #powered = true;
  #pending: Promise<unknown> = Promise.resolve();

  constructor(store: SectorStore, options: MediumOptions, defects: Defects) {
    this.store = store;
    this.#options = options;
    this.#defects = defects;
  }

  /** Sectors that a loss of power would lose. */
  get dirtySectors(): number {
    return this.#cache.size;
  }

  /** The first sector of the range that cannot be read, or -1. */
  firstUnreadable(lba: number, count: number): number {
    return firstWithin(this.#defects.unreadable, lba, count);
  }

  /** Reads sectors, the newest content of each. @throws Error when the store fails. */
  read(lba: number, into: Uint8Array): void {
    this.store.read(lba, into);
    this.#cache.overlay(lba, into);
  }

  /** Takes sectors into the cache. @throws Error when the store fails while older ones make room. */
  write(lba: number, from: Uint8Array): void {
    const count = from.length / SECTOR_BYTES;
    this.#heal(lba, count);
    this.#cache.put(lba, from);
    if (this.#cache.size > this.#options.cacheSectors) this.#evict();
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
    for (const { lba, data } of this.#cache.runs(survivors)) this.store.write(lba, data);
    this.#cache.clear();
  }

  /** The power is back. */
  powerOn(): void {
    this.#powered = true;
  }

  /** Flushes, unless the power is gone, and closes the store. */
  async close(): Promise<void> {
    await this.#pending;
    if (this.#powered) await this.flush();
    await this.store.close();
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
    } catch {
      return { ok: false, deviceFault: true };
    }
    this.#cache.drop(good);
    if (bad === undefined) return { ok: true };
    this.#cache.drop([bad]);
    return { ok: false, lba: bad, deviceFault: false };
  }

  #evict(): void {
    const { unwritable } = this.#defects;
    const { cacheSectors } = this.#options;
    const surplus = this.#cache.size - cacheSectors;
    const room = Math.min(Math.ceil(cacheSectors / 4), ROOM_SECTORS);
    const sectors = this.#cache.oldest(surplus + room).filter((lba) => !unwritable.includes(lba));
    for (const { lba, data } of this.#cache.runs(sectors)) this.store.write(lba, data);
    this.#cache.drop(sectors);
  }

  /** A sector that is written anew can be read again: disks put a spare one in its place. */
  #heal(lba: number, count: number): void {
    const { unreadable } = this.#defects;
    if (firstWithin(unreadable, lba, count) < 0) return;
    this.#defects.unreadable = unreadable.filter((bad) => bad < lba || bad >= lba + count);
  }
}

function firstWithin(sectors: readonly number[], lba: number, count: number): number {
  let first = -1;
  for (const bad of sectors) if (bad >= lba && bad < lba + count && (first < 0 || bad < first)) first = bad;
  return first;
}
