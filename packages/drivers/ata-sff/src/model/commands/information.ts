import type { CommandHandler } from '../ata-device.ts';
import { COMMAND, ERROR, LBA28_MAX_SECTORS, REASON, REGISTER } from '../ata-registers.ts';
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
    const told = wide ? last : Math.min(last, LBA28_MAX_SECTORS - 1);
    taskFile.putAddress(told, wide ? 'lba48' : 'lba28', settings.geometry);
    run.complete();
  };
}

/** SET MAX ADDRESS (EXT), right after READ NATIVE MAX ADDRESS (EXT): sections 8.47, 8.48. Its passwords are not there. */
export function setMax({ wide }: { wide: boolean }): CommandHandler {
  return (run) => {
    const { taskFile, settings, medium, previousCommand, options } = run.device;
    const form = wide ? 'lba48' : 'lba28';
    const last = taskFile.address(form, settings.geometry) ?? Number.POSITIVE_INFINITY;
    const prepared = previousCommand === (wide ? COMMAND.readNativeMaxExt : COMMAND.readNativeMax);
    const subcommand = wide ? 0 : taskFile.get(REGISTER.features);
    if (!prepared || subcommand !== 0 || (wide && !options.lba48)) {
      run.abort();
    } else if (last >= medium.store.sectors) {
      run.fail({ error: ERROR.idnf });
    } else {
      settings.setVisibleSectors(last + 1, (taskFile.get(REGISTER.sectorCount) & 1) === 1);
      run.complete();
    }
  };
}

/** The commands that only change the power mode: sections 8.17, 8.18, 8.50, 8.52, 8.53. */
export function powerCommand(mode: PowerMode): CommandHandler {
  return (run) => {
    run.device.settings.power = mode;
    run.complete();
  };
}

const POWER_MODE_CODES: Readonly<Record<PowerMode, number>> = { active: 0xff, idle: 0x80, standby: 0x00, sleep: 0x00 };

/** CHECK POWER MODE: section 8.7. */
export const checkPowerMode: CommandHandler = (run) => {
  const { taskFile, settings } = run.device;
  taskFile.set(REGISTER.sectorCount, POWER_MODE_CODES[settings.power]);
  run.complete();
};

/** PACKET of a drive that has nothing to say: takes the packet and ends with ILLEGAL REQUEST. Section 8.23. */
export const packet: CommandHandler = (run) => {
  const bytes = new Uint8Array(12);
  run.device.taskFile.set(REGISTER.sectorCount, REASON.commandData);
  run.request({ bytes, start: 0, lengthBytes: bytes.length }, () => {
    run.device.taskFile.set(REGISTER.sectorCount, REASON.commandData | REASON.inputOutput);
    run.fail({ error: 0x50 | ERROR.abrt });
  });
};

/** DEVICE RESET of a packet device: section 8.9. */
export const deviceReset: CommandHandler = (run) => {
  run.device.resetDevice();
};

/** READ SECTORS of a packet device: aborted, with its type in the registers (section 8.34.5.2). */
export const refuseReading: CommandHandler = (run) => {
  run.device.taskFile.putTypeOfDevice('packet');
  run.abort();
};
