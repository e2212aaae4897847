import { defaultGeometry, type Geometry } from './chs-geometry.ts';
import type { DiskOptions } from './options.ts';

/** Power modes that CHECK POWER MODE tells apart. ATA/ATAPI-6 section 6.10. */
export type PowerMode = 'active' | 'idle' | 'standby' | 'sleep';

/** What commands change and resets may bring back. */
export class DriveSettings {
  readonly #options: DiskOptions;
  /** Sectors per block of READ and WRITE MULTIPLE; 0 = these commands are refused. */
  multiple = 0;
  writeCache = true;
  lookAhead = true;
  /** SET FEATURES 66h: a software reset changes no setting. */
  keepSettings = false;
  readonly defaultGeometry: Geometry;
  /** The translation that INITIALIZE DEVICE PARAMETERS set. */
  geometry: Geometry;
  /** Sectors that commands reach; the others are the host protected area. */
  visibleSectors: number;
  power: PowerMode = 'active';

  constructor(options: DiskOptions, sectors: number) {
    this.#options = options;
    this.visibleSectors = sectors - options.hiddenSectors;
    this.defaultGeometry = defaultGeometry(this.visibleSectors);
    this.geometry = this.defaultGeometry;
    this.restoreDefaults();
  }

  /** Power-on and hardware reset; software reset unless SET FEATURES 66h forbade it (section 8.46.12). */
  restoreDefaults(): void {
    this.multiple = 0;
    this.writeCache = this.#options.writeCache;
    this.lookAhead = true;
    this.keepSettings = false;
    this.geometry = this.defaultGeometry;
  }

  /** How long an access to sectors takes; a sleeping medium spins up for it. */
  accessUs(sectors: number): number {
    const { sectorUs, spinUpUs } = this.#options.timing;
    const wakeUpUs = this.power === 'standby' ? spinUpUs : 0;
    this.power = 'active';
    return sectors * sectorUs + wakeUpUs;
  }
}
