import { join } from 'node:path';
import { type PciIdentity, parsePciAddress } from '@ring3/core';
import { type PciHeader, parsePciHeader } from './pci-header.ts';
import { type PciBar, parsePciResource } from './pci-resource.ts';
import { parseInteger, readAttribute, readBytes, readFolder, readLinkName, realPath } from './text.ts';

/** A PCI function as sysfs shows it. Source: Linux, Documentation/PCI/sysfs-pci.rst. */
export interface PciFunction {
  /** `0000:00:04.0`. */
  readonly address: string;
  /** Its real folder. */
  readonly folder: string;
  readonly identity: PciIdentity;
  readonly bars: readonly PciBar[];
  /** The interrupt line, or the first message; 0: none. */
  readonly irq: number;
  /** The kernel driver that has it. */
  readonly driver: string | undefined;
  /** The only driver that may have it. */
  readonly driverOverride: string | undefined;
  /** How often it was enabled; `undefined` where the kernel does not say. */
  readonly enabled: number | undefined;
  readonly header: PciHeader | undefined;
}

/** The folder of all PCI functions. */
export function pciDevicesFolder(sys: string): string {
  return join(sys, 'bus/pci/devices');
}

/** All PCI functions of the machine, by address. */
export function readPciFunctions(sys: string): PciFunction[] {
  return readFolder(pciDevicesFolder(sys))
    .map((address) => readPciFunction(sys, address))
    .filter((found) => found !== undefined);
}

/** The function at an address; `undefined` where there is none. */
export function readPciFunction(sys: string, address: string): PciFunction | undefined {
  const folder = realPath(join(pciDevicesFolder(sys), address));
  if (folder === undefined) return undefined;
  const text = (name: string) => readAttribute(join(folder, name));
  const identity = readIdentity(address, text);
  if (identity === undefined) return undefined;
  const override = text('driver_override');
  const enabled = text('enable');
  return {
    address,
    folder,
    identity,
    bars: parsePciResource(text('resource') ?? ''),
    irq: parseInteger(text('irq') ?? '0', `${address}/irq`),
    driver: readLinkName(join(folder, 'driver')),
    driverOverride: override === undefined || override === '(null)' || override === '' ? undefined : override,
    enabled: enabled === undefined ? undefined : parseInteger(enabled, `${address}/enable`),
    header: parsePciHeader(readBytes(join(folder, 'config')) ?? new Uint8Array(0)),
  };
}

function readIdentity(address: string, text: (name: string) => string | undefined): PciIdentity | undefined {
  const number = (name: string) => {
    const value = text(name);
    return value === undefined ? undefined : parseInteger(value, `${address}/${name}`);
  };
  const vendorId = number('vendor');
  const deviceId = number('device');
  if (vendorId === undefined || deviceId === undefined) return undefined;
  const subsystemVendorId = number('subsystem_vendor');
  const subsystemId = number('subsystem_device');
  return {
    vendorId,
    deviceId,
    classCode: number('class') ?? 0,
    revision: number('revision') ?? 0,
    ...(subsystemVendorId === undefined ? {} : { subsystemVendorId }),
    ...(subsystemId === undefined ? {} : { subsystemId }),
    address: parsePciAddress(address),
  };
}
