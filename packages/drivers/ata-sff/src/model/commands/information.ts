import type { CommandHandler } from '../ata-device.ts';
import { ERROR, REGISTER } from '../ata-registers.ts';
import type { PowerMode } from '../drive-settings.ts';

/** READ NATIVE MAX ADDRESS (EXT): the last sector, hidden or not. ATA/ATAPI-6 sections 8.32, 8.33. */
export function readNativeMax({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const { taskFile, options, settings, medium } = run.device;
    if ((wide && !options.lba48) || taskFile.addressForm === 'chs') {
      run.abort();
      return;
    }
    const last = medium.store.sectors - 1;
    taskFile.putAddress(wide ? last : Math.min(last, 0x0fff_ffff), wide ? 'lba48' : 'lba28', settings.geometry);
    run.complete();
  };
}

/** The commands that only change the power mode: sections 8.17, 8.18, 8.48, 8.52, 8.53. */
export function powerCommand(mode: PowerMode): CommandHandler {
  return (run) => {
    run.device.settings.power = mode;
    run.complete();
  };
}

const POWER_MODE_CODES: Readonly<Record<PowerMode, number>> = { active: 0xff, idle: 0x80, standby: 0x00, sleep: 0x00 };

/** CHECK POWER MODE: section 8.6. */
export const checkPowerMode: CommandHandler = (run) => {
  const { taskFile, settings } = run.device;
  taskFile.set(REGISTER.sectorCount, POWER_MODE_CODES[settings.power]);
  run.complete();
};

/** PACKET of a drive that has nothing to say: takes the packet and ends with ILLEGAL REQUEST. Section 8.23. */
export const packet: CommandHandler = (run) => {
  const bytes = new Uint8Array(12);
  run.device.taskFile.set(REGISTER.sectorCount, 1);
  run.request({ bytes, start: 0, lengthBytes: bytes.length }, () => {
    run.device.taskFile.set(REGISTER.sectorCount, 3);
    run.fail({ error: 0x50 | ERROR.abrt });
  });
};

/** DEVICE RESET of a packet device: section 8.9. */
export const deviceReset: CommandHandler = (run) => {
  run.device.diagnose(false);
};

/** READ SECTORS of a packet device: aborted, with its type in the registers (section 8.34.5.2). */
export const refuseReading: CommandHandler = (run) => {
  run.device.taskFile.putTypeOfDevice('packet');
  run.abort();
};
