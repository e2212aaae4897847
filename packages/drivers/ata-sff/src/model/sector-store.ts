import { SECTOR_BYTES } from './ata-registers.ts';

/** Neighbouring sectors to be written. `data` is valid until the next one is asked for. */
export interface SectorRun {
  readonly lba: number;
  readonly data: Uint8Array;
}

/**
 * What keeps sectors when the power is off. A sector is written whole or not at all; several are not one.
 * Addresses are checked by the caller.
 */
export interface SectorStore {
  readonly sectors: number;
  /** Reads whole sectors into `into`, from its start. @throws Error when the medium fails. */
  read(lba: number, into: Uint8Array): void;
  /** Writes whole sectors; they survive a loss of power only after {@link commit}. @throws Error when the medium fails. */
  write(lba: number, from: Uint8Array): void;
  /** Writes all runs in order, then makes these and all earlier writes survive a loss of power. */
  commit(runs: Iterable<SectorRun>): Promise<void>;
  close(): Promise<void>;
}

const CHUNK_SECTORS = 2048;
const CHUNK_BYTES = CHUNK_SECTORS * SECTOR_BYTES;

/** Sectors in memory, as many as were written; the others are zero. */
export class MemoryStore implements SectorStore {
  readonly sectors: number;
  readonly #chunks = new Map<number, Uint8Array>();

  constructor(sectors: number) {
    this.sectors = sectors;
  }

  read(lba: number, into: Uint8Array): void {
    this.#walk(lba, into, (chunk, at, part) => {
      if (chunk === undefined) part.fill(0);
      else part.set(chunk.subarray(at, at + part.length));
    });
  }

  write(lba: number, from: Uint8Array): void {
    this.#walk(lba, from, (chunk, at, part, index) => {
      let target = chunk;
      if (target === undefined) {
        if (part.every((byte) => byte === 0)) return;
        target = new Uint8Array(CHUNK_BYTES);
        this.#chunks.set(index, target);
      }
      target.set(part, at);
    });
  }

  async commit(runs: Iterable<SectorRun>): Promise<void> {
    for (const { lba, data } of runs) this.write(lba, data);
  }

  async close(): Promise<void> {}

  /** Calls `visit` for every chunk that the sectors lie in, with their part of `bytes`. */
  #walk(
    lba: number,
    bytes: Uint8Array,
    visit: (chunk: Uint8Array | undefined, at: number, part: Uint8Array, index: number) => void,
  ): void {
    for (let done = 0; done < bytes.length; ) {
      const sector = lba + done / SECTOR_BYTES;
      const index = Math.floor(sector / CHUNK_SECTORS);
      const at = (sector % CHUNK_SECTORS) * SECTOR_BYTES;
      const part = bytes.subarray(done, done + CHUNK_BYTES - at);
      visit(this.#chunks.get(index), at, part, index);
      done += part.length;
    }
  }
}
