import type { CommandHandler } from '../ata-device.ts';
import { ERROR, SECTOR_BYTES } from '../ata-registers.ts';
import type { CommandRun, Failure } from '../command-run.ts';
import { decodeRange, type SectorRange } from './sector-range.ts';

/** The most sectors that are read from the store at once. */
const WINDOW_SECTORS = 512;

/** READ SECTORS (EXT) and READ MULTIPLE (EXT): ATA/ATAPI-6 sections 8.30, 8.31, 8.34, 8.35; protocol 9.5. */
export function readSectors({ wide, multiple }: { wide: boolean; multiple: boolean }): CommandHandler {
  return (run) => {
    const perBlock = multiple ? run.device.settings.multiple : 1;
    if (perBlock === 0) {
      run.abort(); // Section 8.30.8: not without SET MULTIPLE MODE.
      return;
    }
    const range = decodeRange(run, wide);
    if (range !== undefined) new SectorRead(run, range, perBlock).next();
  };
}

/** READ VERIFY SECTORS (EXT): the medium is read, nothing is transferred. Sections 8.36, 8.37. */
export function readVerify({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const range = decodeRange(run, wide);
    if (range === undefined) return;
    const { device } = run;
    const count = Math.min(range.count, Math.max(device.settings.visibleSectors - range.lba, 0));
    const bad = device.medium.firstUnreadable(range.lba, count);
    device.schedule(device.settings.accessUs(count), () => {
      if (bad >= 0) run.fail({ error: ERROR.unc, lba: bad });
      else if (count < range.count) run.fail({ error: ERROR.idnf, lba: range.lba + count });
      else run.complete();
    });
  };
}

class SectorRead {
  readonly #run: CommandRun;
  readonly #perBlock: number;
  #lba: number;
  #left: number;
  /** Sectors of the buffer that are still to come. */
  #inBuffer = 0;
  #bufferAt = 0;

  constructor(run: CommandRun, { lba, count }: SectorRange, perBlock: number) {
    this.#run = run;
    this.#perBlock = perBlock;
    this.#lba = lba;
    this.#left = count;
  }

  /** Reads and offers the next DRQ block. */
  next(): void {
    const { device } = this.#run;
    if (this.#left === 0) {
      this.#run.completeQuietly();
      return;
    }
    const count = Math.min(this.#left, this.#perBlock);
    device.schedule(device.settings.accessUs(count), () => this.#offer(count));
  }

  #offer(count: number): void {
    const { device } = this.#run;
    const { visibleSectors } = device.settings;
    if (this.#lba + count > visibleSectors) {
      this.#run.fail({ error: ERROR.idnf, lba: Math.max(this.#lba, visibleSectors) });
      return;
    }
    const bad = device.medium.firstUnreadable(this.#lba, count);
    const failure = bad < 0 ? this.#fill(count) : { error: ERROR.unc, lba: bad };
    // READ SECTORS ends without data. READ MULTIPLE shows the block with the error and stops behind it (section 8.30.8).
    if (failure !== undefined && this.#perBlock === 1) {
      this.#run.fail(failure);
      return;
    }
    this.#give(count, failure);
  }

  #give(count: number, failure: Failure | undefined): void {
    const bytes = this.#run.device.buffer.bytes;
    const block = { bytes, start: this.#bufferAt, lengthBytes: count * SECTOR_BYTES, failure };
    this.#lba += count;
    this.#left -= count;
    this.#inBuffer -= count;
    this.#bufferAt += block.lengthBytes;
    this.#run.offer(block, () => {
      this.next();
    });
  }

  /** Makes sure that the buffer holds the next block; reads ahead within the command. */
  #fill(count: number): Failure | undefined {
    if (this.#inBuffer >= count) return undefined;
    const { device } = this.#run;
    const wanted = Math.max(count, Math.min(this.#left, WINDOW_SECTORS - (WINDOW_SECTORS % this.#perBlock)));
    const sectors = Math.min(wanted, device.settings.visibleSectors - this.#lba);
    const buffer = device.buffer.ensure(sectors * SECTOR_BYTES);
    this.#bufferAt = 0;
    try {
      device.medium.read(this.#lba, buffer.subarray(0, sectors * SECTOR_BYTES));
    } catch (error) {
      device.log.error(`${device.name}: the image cannot be read`, { lba: this.#lba, error: String(error) });
      return { error: ERROR.unc, lba: this.#lba };
    }
    this.#inBuffer = sectors;
    return undefined;
  }
}
