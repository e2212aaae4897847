import { basename, join } from 'node:path';
import { type HeldClaim, type LinuxRoots, listClaims } from '@ring3/linux';
import type { PciFunction } from '../sysfs/pci-function.ts';
import { readAttribute, readFolder, realPath } from '../sysfs/text.ts';

/** IFF_UP of Linux, include/uapi/linux/if.h. */
const INTERFACE_UP = 0x1;

/** What the machine does with a PCI function now, each use in words; none when it can be taken away. */
export function usesOf(pci: PciFunction, roots: Required<LinuxRoots>, claims?: string): string[] {
  return [
    ...bridgeUse(pci),
    ...diskUses(pci, roots),
    ...shareUses(pci, roots),
    ...interfaceUses(pci, roots),
    ...consoleUses(pci, roots),
    ...claimUses(pci, listClaims(claims)),
  ];
}

/** Base class of bridges, PCI Code and ID Assignment 1.11, section 1.7. */
const CLASS_BRIDGE = 0x06;

function bridgeUse({ header, identity }: PciFunction): string[] {
  const isBridge = (header?.headerType ?? 0) !== 0 || identity.classCode >>> 16 === CLASS_BRIDGE;
  return isBridge ? ['it is a bridge: all devices behind it would go'] : [];
}

/** The entries of a class that live below a function. */
function below(pci: PciFunction, sys: string, kind: string): { readonly name: string; readonly folder: string }[] {
  const classFolder = join(sys, 'class', kind);
  return readFolder(classFolder).flatMap((name) => {
    const folder = realPath(join(classFolder, name));
    return folder !== undefined && isBelow(pci, folder) ? [{ name, folder }] : [];
  });
}

function isBelow(pci: PciFunction, folder: string | undefined): boolean {
  return folder?.startsWith(`${pci.folder}/`) ?? false;
}

function diskUses(pci: PciFunction, { sys, proc }: Required<LinuxRoots>): string[] {
  const mounts = readMounts(proc);
  const swaps = lines(join(proc, 'swaps')).map((line) => basename(line.split(/\s+/)[0] ?? ''));
  return below(pci, sys, 'block').flatMap(({ name, folder }) => {
    const number = readAttribute(join(folder, 'dev'));
    const mounted = mounts
      .filter((mount) => mount.device === number)
      .map(({ where }) => `${name} is mounted on ${where}`);
    const holders = readFolder(join(folder, 'holders')).map((holder) => `${name} is a part of ${holder}`);
    return [...mounted, ...holders, ...(swaps.includes(name) ? [`the machine swaps to ${name}`] : [])];
  });
}

/** A folder that the host of a virtual machine shares has no block device. */
function shareUses(pci: PciFunction, { proc }: Required<LinuxRoots>): string[] {
  // The kernel ends the tag with a NUL. Source: Linux, net/9p/trans_virtio.c.
  const tags = readFolder(pci.folder).flatMap(
    (name) => readAttribute(join(pci.folder, name, 'mount_tag'))?.replaceAll('\0', '') ?? [],
  );
  return readMounts(proc)
    .filter(({ type, source }) => type === '9p' && tags.includes(source))
    .map(({ source, where }) => `the shared folder ${source} is mounted on ${where}`);
}

function interfaceUses(pci: PciFunction, { sys }: Required<LinuxRoots>): string[] {
  return below(pci, sys, 'net')
    .filter(({ folder }) => (Number(readAttribute(join(folder, 'flags')) ?? '0') & INTERFACE_UP) !== 0)
    .map(({ name }) => `the network interface ${name} is up`);
}

function consoleUses(pci: PciFunction, { sys }: Required<LinuxRoots>): string[] {
  const active = (readAttribute(join(sys, 'class/tty/console/active')) ?? '').split(/\s+/);
  const terminals = active.filter((name) => name !== '' && isBelow(pci, realPath(join(sys, 'class/tty', name))));
  const isDisplay = pci.driver !== undefined && readAttribute(join(pci.folder, 'boot_vga')) === '1';
  return [
    ...terminals.map((name) => `${name} is a console of the kernel`),
    ...(isDisplay ? [`it is the display that the machine was started with (driver ${pci.driver})`] : []),
  ];
}

function claimUses({ address, bars }: PciFunction, claims: readonly HeldClaim[]): string[] {
  return claims
    .filter(
      ({ device, ranges }) =>
        device === address ||
        ranges.some((range) => bars.some((bar) => bar.kind === range.kind && overlaps(bar, range))),
    )
    .map(({ holder, pid }) => `${holder} (process ${pid}) has it`);
}

interface Range {
  readonly start: bigint;
  readonly sizeBytes: number;
}

function overlaps(a: Range, b: Range): boolean {
  return a.start < b.start + BigInt(b.sizeBytes) && b.start < a.start + BigInt(a.sizeBytes);
}

interface Mount {
  /** `8:1`. */
  readonly device: string;
  readonly where: string;
  readonly type: string;
  readonly source: string;
}

/** Source: proc(5), `/proc/self/mountinfo`: a dash ends the optional fields. */
function readMounts(proc: string): Mount[] {
  return lines(join(proc, 'self/mountinfo')).map((line) => {
    const [front = '', back = ''] = line.split(' - ');
    const [, , device = '', , where = ''] = front.split(' ');
    const [type = '', source = ''] = back.split(' ');
    return { device, where, type, source };
  });
}

function lines(path: string): string[] {
  return (readAttribute(path) ?? '').split('\n').filter((line) => line !== '');
}
