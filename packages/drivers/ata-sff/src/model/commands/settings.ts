import type { AtaDevice, CommandHandler } from '../ata-device.ts';
import { DEVICE, ERROR, FEATURE, REGISTER } from '../ata-registers.ts';
import { geometryWith } from '../chs-geometry.ts';
import type { CommandRun } from '../command-run.ts';
import { decodeTransferMode } from '../transfer-mode.ts';
import { finish } from './flush.ts';

/** SET MULTIPLE MODE: ATA/ATAPI-6 section 8.49. Zero switches READ and WRITE MULTIPLE off. */
export const setMultipleMode: CommandHandler = (run) => {
  const { taskFile, options, settings } = run.device;
  const sectors = taskFile.get(REGISTER.sectorCount);
  const isPowerOf2 = (sectors & (sectors - 1)) === 0;
  if (options.multiple === 0 || sectors > options.multiple || !isPowerOf2) {
    settings.multiple = 0; // A refused number leaves the mode disabled.
    run.abort();
    return;
  }
  settings.multiple = sectors;
  run.complete();
};

/** INITIALIZE DEVICE PARAMETERS: in ATA/ATAPI-5 and before; hosts older than LBA send it. */
export const initializeDeviceParameters: CommandHandler = (run) => {
  const { taskFile, settings } = run.device;
  const heads = (taskFile.get(REGISTER.device) & DEVICE.address) + 1;
  const sectorsPerTrack = taskFile.get(REGISTER.sectorCount);
  if (sectorsPerTrack === 0) {
    run.abort();
    return;
  }
  settings.geometry = geometryWith(settings.visibleSectors, heads, sectorsPerTrack);
  run.complete();
};

type Setting = (device: AtaDevice, run: CommandRun) => void;

const FEATURES: ReadonlyMap<number, Setting> = new Map<number, Setting>([
  [FEATURE.enable8Bit, (device, run) => setEightBit(device, run, true)],
  [FEATURE.disable8Bit, (device, run) => setEightBit(device, run, false)],
  [FEATURE.enableWriteCache, (device, run) => change(run, () => (device.settings.writeCache = true))],
  [FEATURE.setTransferMode, (device, run) => setTransferMode(device, run)],
  [FEATURE.disableReadLookAhead, (device, run) => change(run, () => (device.settings.lookAhead = false))],
  [FEATURE.keepSettings, (device, run) => change(run, () => (device.settings.keepSettings = true))],
  [FEATURE.disableWriteCache, (device, run) => disableWriteCache(device, run)],
  [FEATURE.enableReadLookAhead, (device, run) => change(run, () => (device.settings.lookAhead = true))],
  [FEATURE.revertSettings, (device, run) => change(run, () => (device.settings.keepSettings = false))],
]);

/** SET FEATURES: section 8.46; what is not in the table is aborted. */
export const setFeatures: CommandHandler = (run) => {
  const setting = FEATURES.get(run.device.taskFile.get(REGISTER.features));
  if (setting === undefined) run.abort();
  else setting(run.device, run);
};

function change(run: CommandRun, apply: () => void): void {
  apply();
  run.complete();
}

/** Table 44: multiword and Ultra DMA exclude each other, and PIO modes leave both as they are. */
function setTransferMode(device: AtaDevice, run: CommandRun): void {
  const mode = decodeTransferMode(device.taskFile.get(REGISTER.sectorCount));
  if (mode === 'pio') run.complete();
  else if (mode === 'unknown' || !device.options.dma) run.abort();
  else change(run, () => (device.settings.dmaMode = mode));
}

/** Only CompactFlash cards, and few disks, have the 8-bit data register. */
function setEightBit(device: AtaDevice, run: CommandRun, on: boolean): void {
  if (device.options.eightBit || device.options.compactFlash) change(run, () => (device.settings.eightBit = on));
  else run.abort();
}

/** What the cache holds goes to the medium before the command ends. */
function disableWriteCache(device: AtaDevice, run: CommandRun): void {
  device.await('emptying the cache', device.medium.flush(), (result) => {
    device.settings.writeCache = false;
    finish(run, result, ERROR.abrt);
  });
}
