import type { CommandHandler } from '../ata-device.ts';
import { ERROR, SECTOR_BYTES } from '../ata-registers.ts';
import type { CommandRun } from '../command-run.ts';
import { decodeRange, type SectorRange } from './sector-range.ts';
import { endWrite, takeSectors } from './write-end.ts';

/**
 * WRITE SECTORS (EXT), WRITE MULTIPLE (EXT), WRITE MULTIPLE FUA EXT: ATA/ATAPI-6 sections 8.60 to 8.63;
 * protocol 9.6. WRITE MULTIPLE FUA EXT came with ATA/ATAPI-7.
 */
export function writeSectors({
  wide,
  multiple,
  fua,
}: {
  wide: boolean;
  multiple: boolean;
  fua?: boolean;
}): CommandHandler {
  return (run) => {
    const { options, settings } = run.device;
    const perBlock = multiple ? settings.multiple : 1;
    if (perBlock === 0 || (fua === true && !options.fua)) {
      run.abort();
      return;
    }
    if (options.readOnly) {
      run.fail({ error: ERROR.wp | ERROR.abrt });
      return;
    }
    const range = decodeRange(run, wide);
    if (range !== undefined) new SectorWrite(run, range, perBlock, fua === true || !settings.writeCache).next();
  };
}

class SectorWrite {
  readonly #run: CommandRun;
  readonly #range: SectorRange;
  readonly #perBlock: number;
  /** The data is on the medium before the command ends. */
  readonly #through: boolean;
  #done = 0;

  constructor(run: CommandRun, range: SectorRange, perBlock: number, through: boolean) {
    this.#run = run;
    this.#range = range;
    this.#perBlock = perBlock;
    this.#through = through;
  }

  /** Asks for the next DRQ block, or ends the command. */
  next(): void {
    const { device } = this.#run;
    const lba = this.#range.lba + this.#done;
    const count = Math.min(this.#range.count - this.#done, this.#perBlock);
    if (count === 0) {
      endWrite(this.#run, this.#range, this.#through);
    } else if (lba + count > this.#range.reach) {
      this.#run.fail({ error: ERROR.idnf, lba: Math.max(lba, this.#range.reach) });
    } else {
      const lengthBytes = count * SECTOR_BYTES;
      const bytes = device.buffer.ensure(lengthBytes);
      this.#run.request({ bytes, start: 0, lengthBytes }, () => {
        device.schedule(device.settings.accessUs(count), () => this.#take(lba, bytes.subarray(0, lengthBytes)));
      });
    }
  }

  #take(lba: number, data: Uint8Array): void {
    if (!takeSectors(this.#run, lba, data)) return;
    this.#done += data.length / SECTOR_BYTES;
    this.next();
  }
}
