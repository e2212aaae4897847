import type { CommandHandler } from './ata-device.ts';
import { COMMAND } from './ata-registers.ts';
import { eraseSectors, onCard, requestExtendedError, translateSector } from './commands/compact-flash.ts';
import { readDma, writeDma } from './commands/dma.ts';
import { flushCache } from './commands/flush.ts';
import { identifyDevice, identifyPacketDevice } from './commands/identify.ts';
import {
  checkPowerMode,
  deviceReset,
  packet,
  powerCommand,
  readNativeMax,
  refuseReading,
  setMax,
} from './commands/information.ts';
import { readSectors, readVerify } from './commands/read-sectors.ts';
import { initializeDeviceParameters, setFeatures, setMultipleMode } from './commands/settings.ts';
import { dataSetManagement } from './commands/trim.ts';
import { writeSectors } from './commands/write-sectors.ts';

const CARD_COMMANDS: readonly [number, CommandHandler][] = [
  [COMMAND.cfaRequestExtendedError, requestExtendedError],
  [COMMAND.cfaWriteSectorsWithoutErase, onCard(writeSectors({ wide: false, multiple: false }))],
  [COMMAND.cfaTranslateSector, translateSector],
  [COMMAND.cfaEraseSectors, eraseSectors],
  [COMMAND.cfaWriteMultipleWithoutErase, onCard(writeSectors({ wide: false, multiple: true }))],
];

const POWER_COMMANDS: readonly [number, CommandHandler][] = [
  [COMMAND.standbyImmediate, powerCommand('standby')],
  [COMMAND.idleImmediate, powerCommand('idle')],
  [COMMAND.standby, powerCommand('standby')],
  [COMMAND.idle, powerCommand('idle')],
  [COMMAND.checkPowerMode, checkPowerMode],
  [COMMAND.sleep, powerCommand('sleep')],
];

/** What a disk knows; every other code is aborted (NOP among them, which always is: ATA/ATAPI-6 section 8.22). */
export const DISK_COMMANDS: ReadonlyMap<number, CommandHandler> = new Map([
  [COMMAND.dataSetManagement, dataSetManagement],
  [COMMAND.readSectors, readSectors({ wide: false, multiple: false })],
  [COMMAND.readSectorsNoRetry, readSectors({ wide: false, multiple: false })],
  [COMMAND.readSectorsExt, readSectors({ wide: true, multiple: false })],
  [COMMAND.readDmaExt, readDma({ wide: true })],
  [COMMAND.readNativeMaxExt, readNativeMax({ wide: true })],
  [COMMAND.readMultipleExt, readSectors({ wide: true, multiple: true })],
  [COMMAND.writeSectors, writeSectors({ wide: false, multiple: false })],
  [COMMAND.writeSectorsNoRetry, writeSectors({ wide: false, multiple: false })],
  [COMMAND.writeSectorsExt, writeSectors({ wide: true, multiple: false })],
  [COMMAND.writeDmaExt, writeDma({ wide: true })],
  [COMMAND.setMaxExt, setMax({ wide: true })],
  [COMMAND.writeMultipleExt, writeSectors({ wide: true, multiple: true })],
  [COMMAND.writeDmaFuaExt, writeDma({ wide: true, fua: true })],
  [COMMAND.readVerify, readVerify({ wide: false })],
  [COMMAND.readVerifyNoRetry, readVerify({ wide: false })],
  [COMMAND.readVerifyExt, readVerify({ wide: true })],
  [COMMAND.initializeDeviceParameters, initializeDeviceParameters],
  [COMMAND.readMultiple, readSectors({ wide: false, multiple: true })],
  [COMMAND.writeMultiple, writeSectors({ wide: false, multiple: true })],
  [COMMAND.setMultipleMode, setMultipleMode],
  [COMMAND.readDma, readDma({ wide: false })],
  [COMMAND.readDmaNoRetry, readDma({ wide: false })],
  [COMMAND.writeDma, writeDma({ wide: false })],
  [COMMAND.writeDmaNoRetry, writeDma({ wide: false })],
  [COMMAND.writeMultipleFuaExt, writeSectors({ wide: true, multiple: true, fua: true })],
  [COMMAND.flushCache, flushCache({ wide: false })],
  [COMMAND.flushCacheExt, flushCache({ wide: true })],
  [COMMAND.identifyDevice, identifyDevice],
  [COMMAND.setFeatures, setFeatures],
  [COMMAND.readNativeMax, readNativeMax({ wide: false })],
  [COMMAND.setMax, setMax({ wide: false })],
  ...CARD_COMMANDS,
  ...POWER_COMMANDS,
]);

/** What a packet device knows. */
export const PACKET_COMMANDS: ReadonlyMap<number, CommandHandler> = new Map([
  [COMMAND.deviceReset, deviceReset],
  [COMMAND.readSectors, refuseReading],
  [COMMAND.packet, packet],
  [COMMAND.identifyPacketDevice, identifyPacketDevice],
  [COMMAND.identifyDevice, identifyDevice],
  [COMMAND.setFeatures, setFeatures],
  ...POWER_COMMANDS,
]);
