import { LBA28_MAX_SECTORS } from './ata-registers.ts';
import { chsCapacity, defaultGeometry, type Geometry } from './chs-geometry.ts';
import type { DiskOptions } from './options.ts';
import type { AddressForm } from './task-file.ts';
import type { DmaMode } from './transfer-mode.ts';

/** Power modes that CHECK POWER MODE tells apart. ATA/ATAPI-6 section 6.10. */
export type PowerMode = 'active' | 'idle' | 'standby' | 'sleep';

/** What commands change and resets may bring back. */
export class DriveSettings {
  readonly defaultGeometry: Geometry;
  /** The translation that INITIALIZE DEVICE PARAMETERS set. */
  geometry: Geometry;
  /** Sectors per block of READ and WRITE MULTIPLE; 0 = these commands are refused. */
  multiple = 0;
  writeCache = true;
  lookAhead = true;
  /** SET FEATURES 01h: the data register is 8 bits wide. */
  eightBit = false;
  /** What SET FEATURES 03h selected, or firmware before. */
  dmaMode: DmaMode | undefined;
  /** SET FEATURES 66h: a software reset changes no setting. */
  keepSettings = false;
  /** Sectors that commands reach; the others are the host protected area. */
  visibleSectors: number;
  power: PowerMode = 'active';
  readonly #options: DiskOptions;
  readonly #firmwareMode: DmaMode | undefined;
  /** What SET MAX ADDRESS made permanent. */
  #lastingSectors: number;

  /** @param firmwareMode the mode that firmware selects before a driver sees the disk. */
  constructor(options: DiskOptions, sectors: number, firmwareMode: DmaMode | undefined) {
    this.#options = options;
    this.#firmwareMode = options.dma ? firmwareMode : undefined;
    this.dmaMode = this.#firmwareMode;
    this.#lastingSectors = sectors - options.hiddenSectors;
    this.visibleSectors = this.#lastingSectors;
    this.defaultGeometry = defaultGeometry(sectors);
    this.geometry = this.defaultGeometry;
    this.#restoreDefaults();
  }

  /** Power-on and hardware reset. */
  powerOn(): void {
    this.#restoreDefaults();
    this.keepSettings = false;
    this.dmaMode = this.#firmwareMode;
    this.visibleSectors = this.#lastingSectors;
  }

  /** Software reset: the defaults come back unless SET FEATURES 66h forbade it (section 8.46); the DMA mode stays. */
  softwareReset(): void {
    if (!this.keepSettings) this.#restoreDefaults();
  }

  /** SET MAX ADDRESS (EXT): section 8.47. */
  setVisibleSectors(sectors: number, lasting: boolean): void {
    this.visibleSectors = sectors;
    if (lasting) this.#lastingSectors = sectors;
  }

  /** Sectors that an address of this form reaches (section 6.2). */
  reach(form: AddressForm): number {
    if (form === 'chs') return chsCapacity(this.geometry, this.visibleSectors);
    return form === 'lba28' ? Math.min(this.visibleSectors, LBA28_MAX_SECTORS) : this.visibleSectors;
  }

  /** How long an access to sectors takes; a medium that stands still spins up for it. */
  accessUs(sectors: number): number {
    const { sectorUs, spinUpUs } = this.#options.timing;
    const wakeUpUs = this.power === 'standby' ? spinUpUs : 0;
    this.power = 'active';
    return sectors * sectorUs + wakeUpUs;
  }

  #restoreDefaults(): void {
    this.multiple = 0;
    this.writeCache = this.#options.writeCache;
    this.lookAhead = true;
    this.eightBit = false;
    this.geometry = this.defaultGeometry;
  }
}
