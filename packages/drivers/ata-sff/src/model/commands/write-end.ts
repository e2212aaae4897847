import { ERROR } from '../ata-registers.ts';
import type { CommandRun } from '../command-run.ts';
import { finish } from './flush.ts';
import type { SectorRange } from './sector-range.ts';

/** Takes sectors from the host. @returns false when the command has failed, because the store does not work. */
export function takeSectors(run: CommandRun, lba: number, data: Uint8Array): boolean {
  const { device } = run;
  try {
    device.medium.write(lba, data);
    return true;
  } catch (error) {
    device.log.error(`${device.name}: the image cannot be written`, { lba, error: String(error) });
    run.fail({ error: ERROR.abrt, lba, deviceFault: true });
    return false;
  }
}

/** Ends a write whose sectors were all taken; with `through`, they are on the medium before. */
export function endWrite(run: CommandRun, { lba, count }: SectorRange, through: boolean): void {
  run.endAt(lba + count - 1);
  if (!through) {
    run.complete();
    return;
  }
  const { device } = run;
  device.await('writing through', device.medium.writeThrough(lba, count), (result) => {
    finish(run, result, ERROR.idnf);
  });
}
