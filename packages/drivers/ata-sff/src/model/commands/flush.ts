import type { AtaDevice, CommandHandler } from '../ata-device.ts';
import { ERROR } from '../ata-registers.ts';
import type { CommandRun } from '../command-run.ts';
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
        finish(run, result, ERROR.abrt);
      });
  }
}

/** Ends a command with what became of the cache; `error` stands for a sector that cannot be written. */
export function finish(run: CommandRun, result: FlushResult, error: number): void {
  switch (result.outcome) {
    case 'durable':
      run.complete();
      return;
    case 'bad-sector':
      run.fail({ error, lba: result.lba });
      return;
    case 'store-failed':
      run.device.log.error(`${run.device.name}: the image cannot be written`, { error: String(result.reason) });
      run.fail({ error: ERROR.abrt, deviceFault: true });
  }
}
