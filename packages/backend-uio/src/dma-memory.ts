import { type DeviceDescription, DeviceError, type Logger } from '@ring3/core';
import { busTranslation, HUGE_PAGE_MEMORY, HugePageLoan, hugePageObstacle } from '@ring3/linux';
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

/** What {@link lendMemory} works with. */
interface DmaMemoryParts {
  readonly id: string;
  readonly settings: DmaSettings;
  readonly config: PciConfigSpace | undefined;
  readonly native: Pick<Native, 'hugePages'>;
  readonly roots: Surroundings['roots'];
  readonly candidate: Candidate;
  readonly log: Logger;
}

/** Memory for the transfers of one open device. */
export function lendMemory(parts: DmaMemoryParts): HugePageLoan {
  const { id, settings, config, native, roots, log } = parts;
  return new HugePageLoan({
    id,
    sizeBytes: bytesOf(settings),
    roots,
    log,
    take: native.hugePages,
    check: () => checkDma(parts),
    setBusMaster: (on) => {
      if (config !== undefined) setBusMaster(config, on);
    },
  });
}

function checkDma({ id, settings, config, roots, candidate }: DmaMemoryParts): void {
  const [obstacle] = dmaObstacles(candidate, settings, { roots });
  if (obstacle !== undefined) throw new DeviceError('unsupported', `${id}: ${obstacle}`);
  if (config?.writable === true) return;
  throw new DeviceError(
    'permission',
    `${id}: DMA needs the PCI configuration space, which this process cannot write: a udev rule must open it (README of backend-uio)`,
  );
}

function bytesOf({ sizeMiB }: DmaSettings): number {
  return sizeMiB * 2 ** 20;
}
