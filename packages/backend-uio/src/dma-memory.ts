import {
  type DeviceDescription,
  DeviceError,
  type DmaAllocator,
  type DmaLoan,
  isDeviceError,
  type Logger,
} from '@ring3/core';
import { busTranslation, HUGE_PAGE_MEMORY, type HugePages, hugePageObstacle } from '@ring3/linux';
import { z } from 'zod';
import type { Surroundings } from './describe.ts';
import type { Candidate } from './inventory.ts';
import type { Native } from './native.ts';
import type { PciConfigSpace } from './pci-config-space.ts';
import { setBusMaster } from './pci-power.ts';

/** What memory the device gets for transfers that it makes by itself. */
export interface DmaSettings {
  /** Physical addresses, which nothing checks: for the lab. */
  readonly memory: 'huge-pages';
  /** A multiple of 2. */
  readonly sizeMiB: number;
}

/** The schema of {@link DmaSettings}. */
export const DMA_SETTINGS: z.ZodType<DmaSettings> = z.strictObject({
  memory: z.literal('huge-pages').describe('huge pages of 2 MiB at physical addresses, for lab use'),
  sizeMiB: z.int().min(2).max(2048).multipleOf(2).describe('how much, a multiple of 2'),
});

/** What a description says of it. */
export function describeDma(dma: DmaSettings | undefined): Pick<DeviceDescription, 'dma'> {
  return dma === undefined ? {} : { dma: { memory: HUGE_PAGE_MEMORY, sizeBytes: bytesOf(dma) } };
}

/** What keeps the device from transferring to such memory. */
export function dmaObstacles(
  { pci }: Candidate,
  dma: DmaSettings | undefined,
  { roots }: Pick<Surroundings, 'roots'>,
): string[] {
  if (dma === undefined) return [];
  if (pci === undefined) return ['dma: is for PCI functions: who else masters the bus is not known'];
  const found = [busTranslation(pci.address, roots), hugePageObstacle(bytesOf(dma), roots)];
  return found.filter((words) => words !== undefined);
}

/** What {@link DmaMemory} works with. */
interface DmaMemoryParts {
  readonly id: string;
  readonly settings: DmaSettings;
  readonly config: PciConfigSpace | undefined;
  readonly native: Pick<Native, 'hugePages'>;
  readonly roots: Surroundings['roots'];
  readonly candidate: Candidate;
  readonly log: Logger;
}

/** Memory for the transfers of one open device: taken when it is first asked for, with the right to master the bus. */
export class DmaMemory {
  readonly #parts: DmaMemoryParts;
  #open: { readonly pages: HugePages; readonly loan: DmaLoan } | undefined;

  constructor(parts: DmaMemoryParts) {
    this.#parts = parts;
  }

  /** @throws DeviceError `unsupported`, `permission`: in words, and nothing is taken. */
  open(): DmaAllocator {
    if (this.#open !== undefined) return this.#open.loan;
    const { id, settings, config, native, roots, candidate, log } = this.#parts;
    const [obstacle] = dmaObstacles(candidate, settings, { roots });
    if (obstacle !== undefined) throw new DeviceError('unsupported', `${id}: ${obstacle}`);
    if (config?.writable !== true) {
      throw new DeviceError(
        'permission',
        `${id}: DMA needs the PCI configuration space, which this process cannot write: a udev rule must open it (README of backend-uio)`,
      );
    }
    const pages = native.hugePages(bytesOf(settings), roots);
    try {
      setBusMaster(config, true);
    } catch (error) {
      pages.close();
      throw error;
    }
    log.warn(
      `${id}: transfers to physical addresses, for lab use: no IOMMU keeps the device, or a wrong address, from the memory of the whole machine`,
    );
    this.#open = { pages, loan: pages.pool.lend() };
    return this.#open.loan;
  }

  /** Ends bus mastering, then gives the memory back; keeps it where the device may still write to it. */
  close(): void {
    if (this.#open === undefined) return;
    const { pages, loan } = this.#open;
    this.#open = undefined;
    loan.close();
    if (this.#isOffTheBus()) pages.close();
  }

  #isOffTheBus(): boolean {
    const { id, config, log } = this.#parts;
    try {
      if (config !== undefined) setBusMaster(config, false);
      return true;
    } catch (error) {
      if (isDeviceError(error, 'gone')) return true;
      log.error(
        `${id}: bus mastering could not be ended, so its memory is kept until the process ends: ${String(error)}`,
      );
      return false;
    }
  }
}

function bytesOf({ sizeMiB }: DmaSettings): number {
  return sizeMiB * 2 ** 20;
}
