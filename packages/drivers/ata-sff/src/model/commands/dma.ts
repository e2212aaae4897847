import type { CommandHandler } from '../ata-device.ts';
import { ERROR, SECTOR_BYTES } from '../ata-registers.ts';
import type { CommandRun, Failure } from '../command-run.ts';
import { decodeRange, type SectorRange } from './sector-range.ts';
import { endWrite, takeSectors } from './write-end.ts';

/** The most sectors that are moved at once: what a loss of power or a removal in the middle finds done is whole steps. */
const STEP_SECTORS = 16;

/** READ DMA (EXT): ATA/ATAPI-6 sections 8.25, 8.26; protocol 9.7. */
export function readDma({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const range = run.device.options.dma ? decodeRange(run, wide) : refuse(run);
    if (range !== undefined) new DmaRead(run, range).next();
  };
}

/** WRITE DMA (EXT) and WRITE DMA FUA EXT: ATA/ATAPI-6 sections 8.55, 8.56; the last came with ATA/ATAPI-7. */
export function writeDma({ wide, fua }: { wide: boolean; fua?: boolean }): CommandHandler {
  return (run) => {
    const { options, settings } = run.device;
    if (!options.dma || (fua === true && !options.fua)) {
      refuse(run);
    } else if (options.readOnly) {
      run.fail({ error: ERROR.wp | ERROR.abrt });
    } else {
      const range = decodeRange(run, wide);
      if (range !== undefined) new DmaWrite(run, range, fua === true || !settings.writeCache).next();
    }
  };
}

function refuse(run: CommandRun): undefined {
  run.abort();
}

class DmaRead {
  readonly #run: CommandRun;
  readonly #range: SectorRange;
  #done = 0;

  constructor(run: CommandRun, range: SectorRange) {
    this.#run = run;
    this.#range = range;
  }

  /** Reads and transfers the next sectors, or ends the command. */
  next(): void {
    const { device } = this.#run;
    const lba = this.#range.lba + this.#done;
    const left = this.#range.count - this.#done;
    if (left === 0) {
      this.#run.endAt(lba - 1);
      this.#run.complete();
      return;
    }
    const count = Math.min(left, this.#range.reach - lba, STEP_SECTORS, this.#run.soundSectors);
    const bad = count > 0 ? device.medium.firstUnreadable(lba, count) : -1;
    const good = bad < 0 ? count : bad - lba;
    if (good > 0) device.schedule(device.settings.accessUs(good), () => this.#transfer(lba, good));
    else this.#failLater({ error: bad === lba ? ERROR.unc : ERROR.idnf, lba });
  }

  #transfer(lba: number, count: number): void {
    const { buffer, medium, name, log } = this.#run.device;
    const bytes = buffer.ensure(STEP_SECTORS * SECTOR_BYTES).subarray(0, count * SECTOR_BYTES);
    try {
      medium.read(lba, bytes);
    } catch (error) {
      log.error(`${name}: the image cannot be read`, { lba, error: String(error) });
      this.#run.fail({ error: ERROR.unc, lba });
      return;
    }
    this.#done += count;
    this.#run.transfer('in', bytes, () => this.next());
  }

  #failLater(failure: Failure): void {
    const { device } = this.#run;
    device.schedule(device.settings.accessUs(1), () => this.#run.fail(failure));
  }
}

class DmaWrite {
  readonly #run: CommandRun;
  readonly #range: SectorRange;
  /** The data is on the medium before the command ends. */
  readonly #through: boolean;
  #done = 0;

  constructor(run: CommandRun, range: SectorRange, through: boolean) {
    this.#run = run;
    this.#range = range;
    this.#through = through;
  }

  /** Asks for the next sectors, or ends the command. */
  next(): void {
    const { device } = this.#run;
    const lba = this.#range.lba + this.#done;
    const left = this.#range.count - this.#done;
    const count = Math.min(left, this.#range.reach - lba, STEP_SECTORS, this.#run.soundSectors);
    if (left === 0) {
      endWrite(this.#run, this.#range, this.#through);
    } else if (count <= 0) {
      this.#run.fail({ error: ERROR.idnf, lba });
    } else {
      const bytes = device.buffer.ensure(STEP_SECTORS * SECTOR_BYTES).subarray(0, count * SECTOR_BYTES);
      this.#run.transfer('out', bytes, () => {
        device.schedule(device.settings.accessUs(count), () => this.#take(lba, bytes));
      });
    }
  }

  #take(lba: number, data: Uint8Array): void {
    if (!takeSectors(this.#run, lba, data)) return;
    this.#done += data.length / SECTOR_BYTES;
    this.next();
  }
}
