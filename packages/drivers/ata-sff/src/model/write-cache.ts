import { SECTOR_BYTES } from './ata-registers.ts';
import type { SectorRun } from './sector-store.ts';

const SLAB_SECTORS = 2048;
const RUN_SECTORS = 2048;

/**
 * Sectors that the host has written and the medium does not have yet. Lives in the memory of the process, so that
 * whatever ends the process loses it, as a loss of power does.
 */
export class WriteCache {
  /** LBA to slot, the oldest write first. */
  readonly #slots = new Map<number, number>();
  readonly #slabs: Uint8Array[] = [];
  readonly #free: number[] = [];

  /** Number of sectors that the medium does not have yet. */
  get size(): number {
    return this.#slots.size;
  }

  /** Takes whole sectors. A sector that is here already keeps its age. */
  put(lba: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; done += SECTOR_BYTES) {
      const sector = lba + done / SECTOR_BYTES;
      let slot = this.#slots.get(sector);
      if (slot === undefined) {
        slot = this.#allocate();
        this.#slots.set(sector, slot);
      }
      this.#bytes(slot).set(from.subarray(done, done + SECTOR_BYTES));
    }
  }

  /** Lays what is here over what was read from the medium. */
  overlay(lba: number, into: Uint8Array): void {
    if (this.#slots.size === 0) return;
    for (let done = 0; done < into.length; done += SECTOR_BYTES) {
      const slot = this.#slots.get(lba + done / SECTOR_BYTES);
      if (slot !== undefined) into.set(this.#bytes(slot), done);
    }
  }

  /** The sectors that came first, in the order of their addresses. */
  oldest(count: number): number[] {
    const found: number[] = [];
    for (const lba of this.#slots.keys()) {
      if (found.length === count) break;
      found.push(lba);
    }
    return found.sort(byNumber);
  }

  /** All sectors, in the order of their addresses. */
  all(): number[] {
    return [...this.#slots.keys()].sort(byNumber);
  }

  /** Those sectors of a range that are here. */
  within(lba: number, count: number): number[] {
    const found: number[] = [];
    for (let sector = lba; sector < lba + count; sector++) if (this.#slots.has(sector)) found.push(sector);
    return found;
  }

  /** Sorted sectors as runs of neighbours, bounded in length; one buffer serves all of them. */
  *runs(sorted: readonly number[]): Generator<SectorRun> {
    const buffer = new Uint8Array(Math.min(RUN_SECTORS, sorted.length) * SECTOR_BYTES);
    for (let first = 0; first < sorted.length; ) {
      const lba = sorted[first] ?? 0;
      let count = 0;
      while (count < RUN_SECTORS && sorted[first + count] === lba + count) {
        const slot = this.#slots.get(lba + count);
        if (slot === undefined) break;
        buffer.set(this.#bytes(slot), count * SECTOR_BYTES);
        count++;
      }
      if (count === 0) return; // The power went while the medium was being written.
      yield { lba, data: buffer.subarray(0, count * SECTOR_BYTES) };
      first += count;
    }
  }

  /** Forgets sectors, which the medium has now. */
  drop(sectors: readonly number[]): void {
    for (const lba of sectors) {
      const slot = this.#slots.get(lba);
      if (slot !== undefined && this.#slots.delete(lba)) this.#free.push(slot);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#slots.clear();
    this.#slabs.length = 0;
    this.#free.length = 0;
  }

  #allocate(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const first = this.#slabs.length * SLAB_SECTORS;
    this.#slabs.push(new Uint8Array(SLAB_SECTORS * SECTOR_BYTES));
    for (let slot = first + SLAB_SECTORS - 1; slot > first; slot--) this.#free.push(slot);
    return first;
  }

  #bytes(slot: number): Uint8Array {
    const slab = this.#slabs[Math.floor(slot / SLAB_SECTORS)] ?? EMPTY;
    const at = (slot % SLAB_SECTORS) * SECTOR_BYTES;
    return slab.subarray(at, at + SECTOR_BYTES);
  }
}

const EMPTY = new Uint8Array(0);

function byNumber(a: number, b: number): number {
  return a - b;
}
