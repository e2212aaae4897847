import { join } from 'node:path';
import type { SpaceResource } from '@ring3/core';
import { type Candidate, UIO_PCI_GENERIC } from './inventory.ts';
import type { PciBar } from './sysfs/pci-resource.ts';
import type { UioEntry, UioMap } from './sysfs/uio-entry.ts';

/** A way to the registers of a range. */
export type Door =
  | { readonly kind: 'map'; readonly node: string; readonly index: number; readonly leadBytes: number }
  | { readonly kind: 'resource'; readonly path: string }
  | { readonly kind: 'ports' }
  | { readonly kind: 'port-file'; readonly path: string };

/** A range of registers, and the ways to it, the best first. */
export interface LocatedSpace {
  readonly resource: SpaceResource;
  readonly doors: readonly Door[];
  readonly prefetchable: boolean;
}

/** What {@link locateSpaces} found. */
export interface LocatedSpaces {
  readonly spaces: readonly LocatedSpace[];
  /** Ranges that exist and cannot be reached, in words. */
  readonly obstacles: readonly string[];
}

/** The ranges of a device with their true sizes: those of sysfs are rounded up to pages. */
export function locateSpaces({ pci, uio, node }: Candidate, pageBytes: number): LocatedSpaces {
  const maps = usableMaps(uio);
  const bars = (pci?.bars ?? []).filter(({ unassigned }) => !unassigned);
  const spaces = bars.map((bar) => locateBar(bar, pci?.folder ?? '', uio, maps, pageBytes));
  const published = new Set(bars.map(({ start }) => start));
  for (const map of maps) {
    if (published.has(firstAddress(map, pageBytes))) continue;
    const reg = pci === undefined ? node?.reg[map.index] : undefined;
    spaces.push(locateMap(map, uio?.node ?? '', trueSize(map, reg, pageBytes), pageBytes));
  }
  for (const { index, name, start, sizeBytes, type } of uio?.ports ?? []) {
    if (published.has(start) || type !== 'port_x86' || sizeBytes === 0) continue;
    const resource = { kind: 'port' as const, name: name || `port${index}`, start, sizeBytes };
    spaces.push({ resource, doors: [{ kind: 'ports' }], prefetchable: false });
  }
  return { spaces, obstacles: [...unassignedBars(pci?.bars ?? []), ...unusableMaps(uio)] };
}

/** The address of the first register; kernels differ in whether `addr` contains the offset within the page. */
function firstAddress(map: UioMap, pageBytes: number): bigint {
  const page = BigInt(pageBytes);
  return (map.address / page) * page + BigInt(map.offset);
}

/** Maps without an address are memory that uio_dmem_genirq allocates while somebody has the node open. */
function isDynamic({ address }: UioMap): boolean {
  return address === 0xffff_ffff_ffff_ffffn || address === 0xffff_ffffn;
}

function usableMaps(uio: UioEntry | undefined): UioMap[] {
  return (uio?.maps ?? []).filter((map) => !isDynamic(map) && map.sizeBytes > 0);
}

function unusableMaps(uio: UioEntry | undefined): string[] {
  return (uio?.maps ?? [])
    .filter(isDynamic)
    .map(({ index }) => `map${index} is memory that the kernel allocates for DMA, which this backend does not offer`);
}

function unassignedBars(bars: readonly PciBar[]): string[] {
  return bars
    .filter(({ unassigned }) => unassigned)
    .map(({ bar }) => `BAR ${bar} has no address: the kernel found no room for it (see dmesg; pci=realloc may help)`);
}

function locateBar(
  { bar, kind, start, sizeBytes, prefetchable }: PciBar,
  folder: string,
  uio: UioEntry | undefined,
  maps: readonly UioMap[],
  pageBytes: number,
): LocatedSpace {
  const file = join(folder, `resource${bar}`);
  const map = maps.find((one) => firstAddress(one, pageBytes) === start);
  const region = uio?.ports.find((one) => one.start === start);
  // uio_pci_generic calls every map by the name of the function.
  const name = uio?.name === UIO_PCI_GENERIC ? '' : (map?.name ?? region?.name ?? '');
  const resource = { kind, bar, ...(name === '' ? {} : { name }), start, sizeBytes };
  if (kind === 'port') {
    return { resource, prefetchable, doors: [{ kind: 'ports' }, { kind: 'port-file', path: file }] };
  }
  const doors: Door[] = [{ kind: 'resource', path: file }];
  if (map !== undefined && uio !== undefined) {
    doors.unshift({ kind: 'map', node: uio.node, index: map.index, leadBytes: map.offset });
  }
  return { resource, doors, prefetchable };
}

function locateMap(map: UioMap, node: string, sizeBytes: number, pageBytes: number): LocatedSpace {
  const start = firstAddress(map, pageBytes);
  return {
    resource: { kind: 'memory', name: map.name || `map${map.index}`, start, sizeBytes },
    doors: [{ kind: 'map', node, index: map.index, leadBytes: map.offset }],
    prefetchable: false,
  };
}

/**
 * The size of the registers: that of the device tree where it describes the same place, else what is left of the
 * mapping. A size that is no multiple of a page was not rounded, so it is the device's own.
 */
function trueSize(map: UioMap, reg: { address: bigint; sizeBytes: number } | undefined, pageBytes: number): number {
  const inPage = reg === undefined ? undefined : Number(reg.address % BigInt(pageBytes));
  if (reg !== undefined && inPage === map.offset && reg.sizeBytes <= map.sizeBytes) return reg.sizeBytes;
  const rounded = map.sizeBytes % pageBytes === 0 && map.sizeBytes > map.offset;
  return rounded ? map.sizeBytes - map.offset : map.sizeBytes;
}
