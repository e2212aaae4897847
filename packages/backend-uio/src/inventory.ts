import { basename } from 'node:path';
import type { DeviceIdentity } from '@ring3/core';
import { type DeviceTreeNode, readDeviceTreeNode } from './sysfs/device-tree.ts';
import { type PciFunction, readPciFunction, readPciFunctions } from './sysfs/pci-function.ts';
import { readUioEntries, type UioEntry } from './sysfs/uio-entry.ts';

/** The kernel driver that serves any PCI function: its name says nothing of the device. */
export const UIO_PCI_GENERIC = 'uio_pci_generic';

/** Something that this backend may be able to open. */
export interface Candidate {
  /** Stable across reboots and rebinding: a PCI address, or the name of the platform device. */
  readonly id: string;
  readonly identity: DeviceIdentity;
  readonly pci: PciFunction | undefined;
  readonly uio: UioEntry | undefined;
  readonly node: DeviceTreeNode | undefined;
}

/** Everything of this machine that UIO serves, and all PCI functions. */
export function readInventory(sys: string): Candidate[] {
  const entries = readUioEntries(sys);
  const functions = readPciFunctions(sys);
  const folders = new Set(functions.map(({ folder }) => folder));
  return [
    ...functions.flatMap((pci) => ofPci(pci, behind(entries, pci.folder))),
    ...entries.filter(({ deviceFolder }) => !folders.has(deviceFolder)).map((entry) => ofPlatform(entry, entries)),
  ];
}

/** What is at one PCI address, without a look at the rest of the machine. */
export function readPciCandidates(sys: string, address: string): Candidate[] {
  const pci = readPciFunction(sys, address);
  return pci === undefined ? [] : ofPci(pci, behind(readUioEntries(sys), pci.folder));
}

function behind(entries: readonly UioEntry[], folder: string): UioEntry[] {
  return entries.filter(({ deviceFolder }) => deviceFolder === folder);
}

function ofPci(pci: PciFunction, entries: readonly UioEntry[]): Candidate[] {
  const node = readDeviceTreeNode(pci.folder);
  if (entries.length === 0)
    return [{ id: pci.address, identity: identityOf({ pci, node }), pci, uio: undefined, node }];
  return entries.map((uio) => ({
    id: idAmong(pci.address, uio, entries),
    identity: identityOf({ pci, uio, node }),
    pci,
    uio,
    node,
  }));
}

function ofPlatform(uio: UioEntry, entries: readonly UioEntry[]): Candidate {
  const node = readDeviceTreeNode(uio.deviceFolder);
  return {
    id: idAmong(basename(uio.deviceFolder), uio, behind(entries, uio.deviceFolder)),
    identity: identityOf({ uio, node }),
    pci: undefined,
    uio,
    node,
  };
}

/** A kernel driver may register several UIO devices for one device: then the name, and if need be the place, decides. */
function idAmong(device: string, entry: UioEntry, siblings: readonly UioEntry[]): string {
  if (siblings.length === 1) return device;
  const namesakes = siblings.filter(({ name }) => name === entry.name);
  return `${device}/${entry.name}${namesakes.length === 1 ? '' : `.${namesakes.indexOf(entry)}`}`;
}

function identityOf(parts: Partial<Pick<Candidate, 'pci' | 'uio' | 'node'>>): DeviceIdentity {
  const { pci, uio, node } = parts;
  const name = uio?.name;
  return {
    ...(pci === undefined ? {} : { pci: pci.identity }),
    ...(node === undefined || node.compatible.length === 0 ? {} : { compatible: node.compatible }),
    ...(name === undefined || name === '' || name === UIO_PCI_GENERIC ? {} : { name }),
  };
}
