import { join } from 'node:path';
import { formatPciAddress } from '@ring3/core';
import type { LinuxRoots } from '@ring3/linux';
import type { ExaminedDevice } from './context.ts';
import { exists, linkName, namesIn, textOf } from './files.ts';

/** Where the kernel has a device of the configuration. */
export interface KernelDevice {
  /** `0000:00:04.0`; `undefined` for a device that is not on PCI. */
  readonly pci: string | undefined;
  /** The driver of the kernel that is bound to it. */
  readonly driver: string | undefined;
  /** `uio0`. */
  readonly node: string | undefined;
  /** `name` of the UIO device. */
  readonly uioName: string | undefined;
  /** Files that this process must read and write to use it in full, with what for. */
  readonly files: readonly { readonly path: string; readonly why: string }[];
}

/** Finds what the kernel has of a device. */
export function kernelDevice(device: ExaminedDevice, { sys, dev }: Required<LinuxRoots>): KernelDevice {
  const pci = pciAddressOf(device);
  const folder = pci === undefined ? undefined : join(sys, 'bus/pci/devices', pci);
  const node = folder === undefined ? nodeNamed(device, sys) : namesIn(join(folder, 'uio'))[0];
  const nodes = node === undefined ? [] : [{ path: join(dev, node), why: 'interrupts and registers' }];
  return {
    pci,
    driver: folder === undefined ? undefined : linkName(join(folder, 'driver')),
    node,
    uioName: node === undefined ? undefined : textOf(join(sys, 'class/uio', node, 'name')),
    files: folder === undefined || !exists(folder) ? nodes : [...nodes, ...filesOf(device, folder, node)],
  };
}

function pciAddressOf({ description, section }: ExaminedDevice): string | undefined {
  const known = description?.identity.pci?.address;
  if (known !== undefined) return formatPciAddress(known);
  const { pci } = selectOf(section);
  return typeof pci === 'string' ? pci : undefined;
}

function selectOf({ select }: ExaminedDevice['section']): Readonly<Record<string, unknown>> {
  return typeof select === 'object' && select !== null ? (select as Readonly<Record<string, unknown>>) : {};
}

function nodeNamed({ description, section }: ExaminedDevice, sys: string): string | undefined {
  const name = description?.identity.name ?? selectOf(section)['name'];
  return namesIn(join(sys, 'class/uio')).find((node) => textOf(join(sys, 'class/uio', node, 'name')) === name);
}

function filesOf({ description }: ExaminedDevice, folder: string, node: string | undefined): KernelDevice['files'] {
  const mapped = node === undefined ? [] : mappedAddresses(join(folder, 'uio', node, 'maps'));
  const spaces = (description?.spaces ?? []).filter(({ start }) => !mapped.includes(start));
  const bars = [...new Set(spaces.map(({ bar }) => bar).filter((bar) => bar !== undefined))];
  return [
    { path: join(folder, 'config'), why: 'interrupts again after the first, bus mastering off' },
    ...bars.map((bar) => ({ path: join(folder, `resource${bar}`), why: `registers of BAR ${bar}` })),
  ];
}

/** What can be had through the node; kernels differ in whether `addr` contains the offset within the page. */
function mappedAddresses(maps: string): bigint[] {
  return namesIn(maps).flatMap((map) => {
    const [address, offset] = ['addr', 'offset'].map((name) => BigInt(textOf(join(maps, map, name)) ?? 0));
    return address === undefined || offset === undefined ? [] : [address, address + offset];
  });
}
