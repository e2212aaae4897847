import { ERROR } from '../ata-registers.ts';
import type { CommandRun } from '../command-run.ts';
import type { AddressForm } from '../task-file.ts';

/** Sectors that a command is about; may go beyond what it can reach. */
export interface SectorRange {
  readonly lba: number;
  readonly count: number;
  /** The first address that is too high. */
  readonly reach: number;
}

/**
 * The sectors that the registers name, or `undefined` when the command has failed already: the disk has no 48-bit
 * commands, the translation has no such place, or the medium was changed.
 */
export function decodeRange(run: CommandRun, wide: boolean): SectorRange | undefined {
  const { taskFile, settings, options, defects } = run.device;
  const form: AddressForm = wide ? 'lba48' : taskFile.addressForm;
  // Section 6.20: 48-bit commands know no cylinders.
  if (wide && (!options.lba48 || taskFile.addressForm === 'chs')) {
    run.abort();
    return undefined;
  }
  if (defects.mediumChanged) {
    defects.mediumChanged = false;
    run.fail({ error: ERROR.mc });
    return undefined;
  }
  run.form = form;
  const lba = taskFile.address(form, settings.geometry);
  if (lba === undefined) {
    run.fail({ error: ERROR.idnf });
    return undefined;
  }
  return { lba, count: taskFile.sectorCount(form), reach: settings.reach(form) };
}
