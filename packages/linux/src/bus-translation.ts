import { readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type LinuxRoots, linuxRoots } from './roots.ts';

/**
 * Why physical addresses mean nothing to a PCI function: an IOMMU translates what it sends, and would stop it. Its domains
 * of the type `identity` pass addresses on.
 * @param address `0000:00:04.0`.
 * @returns words with the remedy, or `undefined` where nothing stands between. Source: Linux, Documentation/ABI/testing/sysfs-kernel-iommu_groups.
 */
export function busTranslation(address: string, roots?: LinuxRoots): string | undefined {
  const { sys } = linuxRoots(roots);
  const group = groupOf(join(sys, 'bus/pci/devices', address, 'iommu_group'));
  if (group === undefined) return undefined;
  const type = typeOf(join(sys, 'kernel/iommu_groups', group, 'type'));
  if (type === 'identity') return undefined;
  return `an IOMMU translates its transfers (group ${group}, type ${type}), so physical addresses are not its own: VFIO is the way there; iommu=pt on the kernel's command line takes the protection away`;
}

function groupOf(link: string): string | undefined {
  try {
    return basename(readlinkSync(link));
  } catch {
    return undefined;
  }
}

/** Older kernels have no such file: nothing is known then, and translation is what to expect. */
function typeOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
