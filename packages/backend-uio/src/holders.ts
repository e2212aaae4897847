import type { SpaceResource } from '@ring3/core';
import { type KernelResource, type LinuxRoots, readKernelResources } from '@ring3/linux';

/** Names of kernel drivers that hold addresses of a range, from `/proc/iomem`; `''` for none or unknown. */
export function holdersOf({ kind, start, sizeBytes }: SpaceResource, { proc }: Required<LinuxRoots>): string {
  const resources = readKernelResources({ proc });
  const tree = kind === 'port' ? resources.ports : resources.memory;
  const end = start + BigInt(sizeBytes) - 1n;
  // Windows of buses and the device itself contain the range; drivers claim within it.
  const names = flatten(tree).filter(
    (one) => one.start !== undefined && one.end !== undefined && one.start <= end && one.end >= start && isDriver(one),
  );
  return names.map(({ name }) => name).join(', ');
}

function flatten(tree: readonly KernelResource[]): KernelResource[] {
  return tree.flatMap((one) => [one, ...flatten(one.children)]);
}

function isDriver({ name, children }: KernelResource): boolean {
  return children.length === 0 && !/^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(name) && !/^PCI /.test(name);
}
