import type { CommandHandler } from '../ata-device.ts';
import { ERROR, SECTOR_BYTES } from '../ata-registers.ts';
import type { CommandRun, Failure } from '../command-run.ts';
import { decodeRange, type SectorRange } from './sector-range.ts';

/** The most sectors that are read from the store at once. */
const WINDOW_SECTORS = 512;

/** What stands in the place of sectors that could not be read. */
const JUNK = 0xbd;

/** READ SECTORS (EXT) and READ MULTIPLE (EXT): ATA/ATAPI-6 sections 8.30, 8.31, 8.34, 8.35; protocol 9.5. */
export function readSectors({ wide, multiple }: { wide: boolean; multiple: boolean }): CommandHandler {
  return (run) => {
    const perBlock = multiple ? run.device.settings.multiple : 1;
    if (perBlock === 0) {
      run.abort(); // Not without SET MULTIPLE MODE.
      return;
    }
    const range = decodeRange(run, wide);
    if (range !== undefined) new SectorRead(run, range, { perBlock, multiple }).next();
  };
}

/** READ VERIFY SECTORS (EXT): the medium is read, nothing is transferred. Sections 8.36, 8.37. */
export function readVerify({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const range = decodeRange(run, wide);
    if (range === undefined) return;
    const { device } = run;
    const count = Math.min(range.count, Math.max(range.reach - range.lba, 0));
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
  readonly #reach: number;
  readonly #perBlock: number;
  readonly #multiple: boolean;
  #lba: number;
  #left: number;
  /** Sectors of the buffer that are still to come. */
  #inBuffer = 0;
  #bufferAt = 0;

  constructor(run: CommandRun, range: SectorRange, { perBlock, multiple }: { perBlock: number; multiple: boolean }) {
    this.#run = run;
    this.#perBlock = perBlock;
    this.#multiple = multiple;
    this.#reach = range.reach;
    this.#lba = range.lba;
    this.#left = range.count;
  }

  /** Reads and offers the next DRQ block. */
  next(): void {
    const { device } = this.#run;
    if (this.#left === 0) {
      this.#run.endAt(this.#lba - 1);
      this.#run.completeQuietly();
      return;
    }
    const count = Math.min(this.#left, this.#perBlock);
    device.schedule(device.settings.accessUs(count), () => this.#offer(count));
  }

  #offer(count: number): void {
    if (this.#lba + count > this.#reach) {
      this.#run.fail({ error: ERROR.idnf, lba: Math.max(this.#lba, this.#reach) });
      return;
    }
    const failure = this.#fill(count) ?? this.#findUnreadable(count);
    // READ SECTORS ends without data. READ MULTIPLE posts the error with the block and stops behind it (section 8.30).
    if (failure !== undefined && !this.#multiple) this.#run.fail(failure);
    else this.#give(count, failure);
  }

  #give(count: number, failure: Failure | undefined): void {
    const { bytes } = this.#run.device.buffer;
    const block = { bytes, start: this.#bufferAt, lengthBytes: count * SECTOR_BYTES, failure };
    this.#lba += count;
    this.#left -= count;
    this.#inBuffer -= count;
    this.#bufferAt += block.lengthBytes;
    this.#run.offer(block, () => this.next());
  }

  /** Makes sure that the buffer holds the next block; reads ahead within the command. */
  #fill(count: number): Failure | undefined {
    if (this.#inBuffer >= count) return undefined;
    const { buffer, medium, name, log } = this.#run.device;
    const wholeBlocks = WINDOW_SECTORS - (WINDOW_SECTORS % this.#perBlock);
    const sectors = Math.min(this.#left, wholeBlocks, this.#reach - this.#lba);
    const bytes = buffer.ensure(sectors * SECTOR_BYTES).subarray(0, sectors * SECTOR_BYTES);
    this.#bufferAt = 0;
    this.#inBuffer = sectors;
    try {
      medium.read(this.#lba, bytes);
    } catch (error) {
      log.error(`${name}: the image cannot be read`, { lba: this.#lba, error: String(error) });
      bytes.fill(JUNK);
      return { error: ERROR.unc, lba: this.#lba };
    }
    return undefined;
  }

  #findUnreadable(count: number): Failure | undefined {
    const { buffer, medium } = this.#run.device;
    const bad = medium.firstUnreadable(this.#lba, count);
    if (bad < 0) return undefined;
    const end = this.#bufferAt + count * SECTOR_BYTES;
    buffer.bytes.fill(JUNK, this.#bufferAt + (bad - this.#lba) * SECTOR_BYTES, end);
    return { error: ERROR.unc, lba: bad };
  }
}
