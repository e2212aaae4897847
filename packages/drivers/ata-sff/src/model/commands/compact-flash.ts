import type { CommandHandler } from '../ata-device.ts';
import { ERROR, SECTOR_BYTES } from '../ata-registers.ts';
import { chsOf } from '../chs-geometry.ts';
import { decodeRange } from './sector-range.ts';

/** A command of the CFA feature set: aborted where the disk is no card. ATA/ATAPI-6 sections 8.1 to 8.5. */
export function onCard(handler: CommandHandler): CommandHandler {
  return (run) => {
    if (run.device.options.compactFlash) handler(run);
    else run.abort();
  };
}

/** CFA REQUEST EXTENDED ERROR CODE: section 8.2; there is none. */
export const requestExtendedError = onCard((run) => {
  run.device.taskFile.error = 0;
  run.complete();
});

/** CFA ERASE SECTORS: section 8.1. What erased sectors hold is undefined; here they are left as they are. */
export const eraseSectors = onCard((run) => {
  const range = decodeRange(run, false);
  if (range === undefined) return;
  const { device } = run;
  if (device.options.readOnly) run.fail({ error: ERROR.wp | ERROR.abrt });
  else if (range.lba + range.count > range.reach) run.fail({ error: ERROR.idnf, lba: range.reach });
  else device.schedule(device.settings.accessUs(range.count), () => run.complete());
});

/** CFA TRANSLATE SECTOR: section 8.3; the same place as cylinder, head, sector and as a number. */
export const translateSector = onCard((run) => {
  const range = decodeRange(run, false);
  if (range === undefined) return;
  if (range.lba >= range.reach) {
    run.fail({ error: ERROR.idnf, lba: range.lba });
    return;
  }
  const { cylinder, head, sector } = chsOf(range.lba, run.device.settings.geometry);
  const bytes = new Uint8Array(SECTOR_BYTES);
  bytes.set([cylinder >>> 8, cylinder, head, sector, range.lba >>> 16, range.lba >>> 8, range.lba]);
  run.offer({ bytes, start: 0, lengthBytes: bytes.length }, () => run.completeQuietly());
});
