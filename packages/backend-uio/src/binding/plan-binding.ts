import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DeviceError, formatPciAddress, parsePciAddress } from '@ring3/core';
import { type LinuxRoots, linuxRoots } from '@ring3/linux';
import { UIO_PCI_GENERIC } from '../inventory.ts';
import { type PciFunction, pciDevicesFolder, readPciFunction } from '../sysfs/pci-function.ts';
import { usesOf } from './uses.ts';

/** One write to a file of sysfs. */
export interface BindingStep {
  readonly path: string;
  /** Without the line end that is written after it; empty to clear. */
  readonly value: string;
  /** Left out where the file is missing: no driver is bound then. */
  readonly ifThere?: boolean;
  /** The path is that of configuration space: Interrupt Disable is set in its command register. */
  readonly masksInterrupt?: boolean;
}

/** What `bind` or `unbind` will do, for a person to read and for `applyBinding` to do. */
export interface BindingPlan {
  readonly action: 'bind' | 'unbind';
  readonly address: string;
  /** The driver that shall have the device afterwards, or, for `unbind`, shall not have it any more. */
  readonly driver: string;
  /** The driver that has it now. */
  readonly from: string | undefined;
  /** In this order; none when there is nothing to do. */
  readonly writes: readonly BindingStep[];
  /** The way back, in its order. */
  readonly undo: readonly BindingStep[];
  /** What is worth knowing before. */
  readonly notes: readonly string[];
  readonly roots: Required<LinuxRoots>;
}

/** What {@link planBinding} looks at. */
export interface BindingOptions extends LinuxRoots {
  /** Where the claims of the machine are kept. */
  readonly claims?: string;
  /** Also a device that is in use. */
  readonly force?: boolean;
}

/**
 * Plans what gives a PCI function to a UIO driver (`bind`), or back to the kernel's own choice (`unbind`). Reads only.
 * @throws DeviceError `not-found` for a device or a driver that is not there, `busy` for a device that is in use, with
 *   every use; RangeError for what is no PCI address.
 */
export function planBinding(
  options: BindingOptions,
  action: 'bind' | 'unbind',
  address: string,
  driver: string = UIO_PCI_GENERIC,
): BindingPlan {
  const roots = linuxRoots(options);
  const pci = findFunction(roots.sys, address);
  const isBound = pci.driver === driver;
  const base = { action, address: pci.address, driver, from: pci.driver, roots };
  if (action === 'bind' ? isBound && pci.driverOverride === driver : !isBound && pci.driverOverride !== driver) {
    return { ...base, writes: [], undo: [], notes: [] };
  }
  if (action === 'bind') checkDriver(roots.sys, driver);
  const uses = usesOf(pci, roots, options.claims);
  if (uses.length > 0 && options.force !== true) {
    throw new DeviceError(
      'busy',
      `${pci.address} is in use: ${uses.join('; ')}. Stop that first, or force it (--force) and lose it`,
    );
  }
  const notes = [...uses.map((use) => `forced although ${use}`), ...(action === 'bind' ? interruptNotes(pci) : [])];
  const override = action === 'bind' ? driver : '';
  return {
    ...base,
    writes: [...mask(roots.sys, pci), ...rebind(roots.sys, pci.address, override)],
    undo: rebind(roots.sys, pci.address, pci.driverOverride ?? ''),
    notes,
  };
}

/** A step as a command of the shell. */
export function formatStep({ path, value, masksInterrupt }: BindingStep): string {
  if (masksInterrupt === true) return `setpci -s ${basename(dirname(path))} ${value}`;
  return `echo ${value === '' ? '""' : value} > ${path}`;
}

/**
 * A device that still asserts its line when uio_pci_generic leaves it storms for nobody, and the kernel switches the line
 * off for all who share it. The next driver's `pci_enable_device` lets interrupts through again.
 */
function mask(sys: string, { address, driver }: PciFunction): BindingStep[] {
  if (driver !== UIO_PCI_GENERIC) return [];
  return [{ path: join(pciDevicesFolder(sys), address, 'config'), value: 'COMMAND=0400:0400', masksInterrupt: true }];
}

/** Source: Linux, Documentation/ABI/testing/sysfs-bus-pci, `driver_override`. */
function rebind(sys: string, address: string, override: string): BindingStep[] {
  const folder = join(pciDevicesFolder(sys), address);
  return [
    { path: join(folder, 'driver_override'), value: override },
    { path: join(folder, 'driver/unbind'), value: address, ifThere: true },
    { path: join(sys, 'bus/pci/drivers_probe'), value: address },
  ];
}

function findFunction(sys: string, address: string): PciFunction {
  const wanted = formatPciAddress(parsePciAddress(address));
  const found = readPciFunction(sys, wanted);
  if (found !== undefined) return found;
  throw new DeviceError('not-found', `there is no PCI function ${wanted}: \`ring3 devices\` lists what there is`);
}

function checkDriver(sys: string, driver: string): void {
  if (existsSync(join(sys, 'bus/pci/drivers', driver))) return;
  throw new DeviceError('not-found', `the kernel driver ${driver} is not loaded: modprobe ${driver}`);
}

/** What uio_pci_generic will make of the interrupt. Source: Linux, drivers/uio/uio_pci_generic.c, `probe`. */
function interruptNotes({ irq, header }: PciFunction): string[] {
  if (header?.interruptPin === 0 || irq === 0) {
    return ['it has no interrupt line (INTx): it will be polled, since UIO offers no messages (MSI)'];
  }
  return ['uio_pci_generic refuses a function whose INTx cannot be masked (before PCI 2.3)'];
}
