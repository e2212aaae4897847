import type { SpaceResource } from '@ring3/core';
import { type KernelResource, readKernelResources } from '@ring3/linux';

/**
 * Names of kernel drivers that hold addresses of a range, from `/proc/iomem`; `''` for none or unknown. The kernel decides
 * by the page, so for memory a neighbour in the same page counts too.
 */
export function holdersOf({ kind, start, sizeBytes }: SpaceResource, proc: string, pageBytes: number): string {
  const resources = readKernelResources({ proc });
  const end = start + BigInt(sizeBytes) - 1n;
  const page = kind === 'port' ? 1n : BigInt(pageBytes);
  const first = start - (start % page);
  const last = end - (end % page) + page - 1n;
  // Windows of buses and the device itself contain the range; drivers claim within it.
  return flatten(kind === 'port' ? resources.ports : resources.memory)
    .flatMap((one) => {
      if (one.start === undefined || one.end === undefined || !isDriver(one)) return [];
      if (one.start > last || one.end < first) return [];
      return one.start <= end && one.end >= start ? [one.name] : [`${one.name} (in the same page)`];
    })
    .join(', ');
}

function flatten(tree: readonly KernelResource[]): KernelResource[] {
  return tree.flatMap((one) => [one, ...flatten(one.children)]);
}

function isDriver({ name, children }: KernelResource): boolean {
  return children.length === 0 && !/^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(name) && !/^PCI /.test(name);
}
