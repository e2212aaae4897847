import type { CommandHandler } from '../ata-device.ts';
import { ERROR, REGISTER, SECTOR_BYTES } from '../ata-registers.ts';
import type { CommandRun } from '../command-run.ts';
import { TRIM_BLOCKS_MAX } from '../identify-data.ts';

/** The only use of DATA SET MANAGEMENT, in the Features register. */
const TRIM = 0x01;
const RANGE_BYTES = 8;

/** DATA SET MANAGEMENT with TRIM: ATA8-ACS section 7.10; ranges of 48 bits address and 16 bits length, by DMA. */
export const dataSetManagement: CommandHandler = (run) => {
  const { options, taskFile } = run.device;
  const blocks = taskFile.sectorCount('lba48');
  const canTrim = options.trim !== 'none' && options.dma && options.lba48;
  if (!canTrim || taskFile.get(REGISTER.features) !== TRIM || blocks > TRIM_BLOCKS_MAX) run.abort();
  else if (options.readOnly) run.fail({ error: ERROR.wp | ERROR.abrt });
  else receive(run, 0, blocks);
};

/** Takes the blocks of ranges, then does what they say. */
function receive(run: CommandRun, done: number, blocks: number): void {
  const { device } = run;
  const bytes = device.buffer.ensure(TRIM_BLOCKS_MAX * SECTOR_BYTES);
  if (done === blocks) {
    const ranges = new DataView(bytes.buffer, bytes.byteOffset, blocks * SECTOR_BYTES);
    device.schedule(device.settings.accessUs(blocks), () => trimAll(run, ranges));
    return;
  }
  const count = Math.min(blocks - done, run.soundSectors);
  const part = bytes.subarray(done * SECTOR_BYTES, (done + count) * SECTOR_BYTES);
  run.transfer('out', part, () => receive(run, done + count, blocks));
}

/** One range after the other; one of no length is padding. Those before a range that is too high have been trimmed. */
function trimAll(run: CommandRun, ranges: DataView): void {
  const { device } = run;
  run.form = 'lba48';
  for (let at = 0; at < ranges.byteLength; at += RANGE_BYTES) {
    const lba = ranges.getUint32(at, true) + ranges.getUint16(at + 4, true) * 2 ** 32;
    const count = ranges.getUint16(at + 6, true);
    if (count === 0) continue;
    if (lba + count > device.settings.visibleSectors) {
      run.fail({ error: ERROR.idnf, lba: Math.max(lba, device.settings.visibleSectors) });
      return;
    }
    if (!trim(run, lba, count)) return;
  }
  run.complete();
}

function trim(run: CommandRun, lba: number, count: number): boolean {
  const { device } = run;
  try {
    device.medium.trim(lba, count, device.options.trim === 'zero');
    return true;
  } catch (error) {
    device.log.error(`${device.name}: the image cannot be written`, { lba, error: String(error) });
    run.fail({ error: ERROR.abrt, lba, deviceFault: true });
    return false;
  }
}
