import type { ModelPins } from '@ring3/backend-sim/model';
import { DeviceError } from '@ring3/core';
import { LBA28_MAX_SECTORS, SECTOR_BYTES } from './ata-registers.ts';
import { FileStore } from './file-store.ts';
import { Medium } from './medium.ts';
import { type ControllerOptions, type DiskOptions, diskSectors } from './options.ts';
import { MemoryStore, type SectorStore } from './sector-store.ts';
import { SffController } from './sff-controller.ts';

const DEFAULT_MEMORY_MIB = 64;

/**
 * A controller with its disks. `stores` takes the place of files and memory, by the index of the disk.
 * @throws DeviceError that names the image and the remedy, when an image cannot be used.
 */
export async function createController(
  pins: ModelPins,
  options: ControllerOptions,
  stores: readonly (SectorStore | undefined)[] = [],
): Promise<SffController> {
  const disks = options.disks.map((disk, index) => ({ ...disk, serial: disk.serial ?? `R3SIM${index + 1}` }));
  const media = new Map<DiskOptions, Medium>();
  try {
    for (const [index, disk] of disks.entries()) {
      const store = stores[index] ?? (await openStore(pins, disk));
      media.set(disk, new Medium(store, mediumOptions(disk), disk.defects));
      checkSize(disk, store.sectors);
    }
  } catch (error) {
    for (const medium of media.values()) await medium.close();
    throw error;
  }
  return new SffController(pins, { ...options, disks }, media);
}

function mediumOptions({ cacheMiB, powerCut, trimSeed }: DiskOptions) {
  const { survivors, seed } = powerCut;
  return { cacheSectors: (cacheMiB * 2 ** 20) / SECTOR_BYTES, survivors, seed, trimSeed };
}

/** What only the image could tell. */
function checkSize({ image, hiddenSectors, lba48 }: DiskOptions, sectors: number): void {
  const what = `the disk in ${image ?? 'memory'} has ${sectors} sectors`;
  if (hiddenSectors >= sectors) throw new DeviceError('config', `${what}: hiddenSectors cannot be ${hiddenSectors}`);
  if (!lba48 && sectors > LBA28_MAX_SECTORS) {
    throw new DeviceError('config', `${what}: without lba48 it cannot have more than ${LBA28_MAX_SECTORS}`);
  }
}

async function openStore(pins: ModelPins, disk: DiskOptions): Promise<SectorStore> {
  const sectors = diskSectors(disk);
  if (disk.image === undefined) return new MemoryStore(sectors ?? (DEFAULT_MEMORY_MIB * 2 ** 20) / SECTOR_BYTES);
  return await FileStore.open(pins.resolvePath(disk.image), { ...disk, sectors });
}
