import type { AtaDevice, CommandHandler } from '../ata-device.ts';
import { ERROR } from '../ata-registers.ts';
import type { CommandRun, Failure } from '../command-run.ts';
import type { FlushResult } from '../medium.ts';

/** FLUSH CACHE and FLUSH CACHE EXT: ATA/ATAPI-6 sections 8.12, 8.13. BSY stays until the data is on the medium. */
export function flushCache({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const { device } = run;
    if (wide && !device.options.lba48) {
      run.abort();
      return;
    }
    run.form = wide ? 'lba48' : 'lba28';
    device.schedule(device.options.timing.flushUs, () => flush(run, device));
  };
}

function flush(run: CommandRun, device: AtaDevice): void {
  switch (device.defects.flush) {
    case 'lie':
      run.complete();
      return;
    case 'fail':
      run.abort();
      return;
    case 'device-fault':
      run.fail({ error: ERROR.abrt, deviceFault: true });
      return;
    case 'hang':
      return;
    case 'good':
      device.await('flushing', device.medium.flush(), (result) => {
        if (result.ok) run.complete();
        else run.fail(failureOf(result, ERROR.abrt));
      });
  }
}

/** What the registers say of sectors that did not reach the medium. */
export function failureOf(result: Exclude<FlushResult, { ok: true }>, error: number): Failure {
  return { error: result.deviceFault ? ERROR.abrt : error, lba: result.lba, deviceFault: result.deviceFault };
}
