import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { DeviceDescription } from '@ring3/core';
import type { LinuxRoots } from '@ring3/linux';
import { describeDma, dmaObstacles } from './dma-memory.ts';
import { type Candidate, UIO_PCI_GENERIC } from './inventory.ts';
import { locateInterrupt } from './locate-interrupt.ts';
import { type LocatedSpace, locateSpaces } from './locate-spaces.ts';
import type { UioSelector } from './selector.ts';
import { readAttribute } from './sysfs/text.ts';

/** Where this backend looks, and how large a page is there. */
export interface Surroundings {
  readonly roots: Required<LinuxRoots>;
  readonly pageBytes: number;
}

/** A device as the rig sees it, with the ways to its registers. */
export interface LocatedDevice {
  readonly candidate: Candidate;
  readonly description: DeviceDescription;
  readonly spaces: readonly LocatedSpace[];
}

/** Addresses of the machine: what /dev/mem shows is the same. */
const DOMAIN = 'machine';

/** Puts together what sysfs says of a device; nothing is opened. */
export function locateDevice(
  candidate: Candidate,
  surroundings: Surroundings,
  settings: Omit<UioSelector, 'select'> = {},
): LocatedDevice {
  const { sys } = surroundings.roots;
  const { spaces, obstacles } = locateSpaces(candidate, surroundings.pageBytes);
  const interrupts = locateInterrupt(candidate, sys, settings.trigger);
  const all = [
    ...bindingObstacles(candidate),
    ...accessObstacles(candidate, surroundings.roots),
    ...obstacles,
    ...dmaObstacles(candidate, settings.dma, surroundings),
  ];
  const description = {
    id: candidate.id,
    domain: DOMAIN,
    identity: candidate.identity,
    spaces: spaces.map(({ resource }) => resource),
    interrupts,
    ...describeDma(settings.dma),
    simulated: false,
    ...(all.length === 0 ? {} : { obstacles: all }),
  };
  return { candidate, description, spaces };
}

/** The kernel driver that stands in the way: one that is there and offers no UIO device. */
export function foreignDriver({ pci, uio }: Candidate): string | undefined {
  return uio === undefined ? pci?.driver : undefined;
}

function bindingObstacles(candidate: Candidate): string[] {
  const { pci, uio } = candidate;
  if (pci === undefined) return [];
  const driver = foreignDriver(candidate);
  if (driver !== undefined) return [`the kernel driver ${driver} has it: ring3 bind ${pci.address}`];
  if (uio === undefined) {
    return [`no UIO driver is bound, so registers only and no interrupt: ring3 bind ${pci.address}`];
  }
  if (uio.name === UIO_PCI_GENERIC && pci.irq === 0) return ['the device has no interrupt line (INTx): it is polled'];
  return [];
}

function accessObstacles({ pci, uio }: Candidate, { sys, dev }: Required<LinuxRoots>): string[] {
  const found: string[] = [];
  if (uio !== undefined && !isUsable(join(dev, uio.node))) {
    found.push(
      `${join(dev, uio.node)} may not be opened: a udev rule must give it to this user (README of backend-uio)`,
    );
  }
  if (uio?.name !== UIO_PCI_GENERIC || pci === undefined) return found;
  if (!isUsable(join(pci.folder, 'config'))) {
    found.push(
      `its config space may not be written, so an interrupt cannot be re-armed: a udev rule must open ${join(pci.folder, 'config')}`,
    );
  }
  const lockdown = lockdownMode(sys);
  if (lockdown !== undefined) {
    found.push(
      `the kernel is locked down (${lockdown}), so an interrupt cannot be re-armed: VFIO is the way that stays`,
    );
  }
  return found;
}

/** `integrity` or `confidentiality` where the kernel is locked down. Source: kernel_lockdown(7). */
function lockdownMode(sys: string): string | undefined {
  const text = readAttributeQuietly(join(sys, 'kernel/security/lockdown')) ?? '';
  const mode = /\[(\w+)\]/.exec(text)?.[1];
  return mode === 'none' ? undefined : mode;
}

/** securityfs is closed to users on some systems; then nothing is known. */
function readAttributeQuietly(path: string): string | undefined {
  try {
    return readAttribute(path);
  } catch {
    return undefined;
  }
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
