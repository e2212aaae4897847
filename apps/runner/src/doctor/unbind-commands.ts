import { join } from 'node:path';
import { type KernelResource, type LinuxRoots, readKernelResources } from '@ring3/linux';
import type { ExaminedDevice } from './context.ts';
import { linkName } from './files.ts';

/** The commands that take the drivers of the kernel away from where a device is. */
export function unbindCommands({ description }: ExaminedDevice, { sys, proc }: Required<LinuxRoots>): string[] {
  const resources = readKernelResources({ proc });
  const names = (description?.spaces ?? []).flatMap(({ kind, start, sizeBytes }) =>
    namesAt(kind === 'memory' ? resources.memory : resources.ports, start, start + BigInt(sizeBytes) - 1n),
  );
  return [...new Set(names)].flatMap((name) =>
    ['pci', 'platform'].flatMap((bus) => {
      const driver = linkName(join(sys, 'bus', bus, 'devices', name, 'driver'));
      return driver === undefined ? [] : [`echo ${name} | sudo tee /sys/bus/${bus}/drivers/${driver}/unbind`];
    }),
  );
}

/** The names of all ranges there; those of devices are names of folders in sysfs: `0000:00:03.0`, `43c00000.gpio`. */
function namesAt(tree: readonly KernelResource[], start: bigint, end: bigint): string[] {
  return tree.flatMap((range) => {
    if (range.start === undefined || range.end === undefined || range.start > end || range.end < start) return [];
    const [name = ''] = range.name.split(' ', 1);
    return [...(/^[\w.:@,-]+$/.test(name) ? [name] : []), ...namesAt(range.children, start, end)];
  });
}
