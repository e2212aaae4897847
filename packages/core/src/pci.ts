import { hex } from './format.ts';

/** Where a PCI function sits: `0000:00:04.0`. */
export interface PciAddress {
  readonly domain: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

/** What a PCI function says of itself in its configuration header. Source: PCI Local Bus 3.0, section 6.2.1. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, sub-class and programming interface: 24 bits, as in `class` of sysfs. */
  readonly classCode: number;
  readonly revision: number;
  readonly subsystemVendorId?: number;
  readonly subsystemId?: number;
  readonly address?: PciAddress;
}

/**
 * Reads `DDDD:BB:DD.F`, or `BB:DD.F` in domain 0, as `lspci` prints it.
 * @throws RangeError that shows the form, for anything else.
 */
export function parsePciAddress(text: string): PciAddress {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text.trim());
  const [, domain = '0', bus = '', device = '', fn = ''] = match ?? [];
  const address = {
    domain: Number.parseInt(domain, 16),
    bus: Number.parseInt(bus, 16),
    device: Number.parseInt(device, 16),
    function: Number.parseInt(fn, 16),
  };
  if (match === null) {
    throw new RangeError(`"${text}" is not a PCI address: write domain:bus:device.function, like 0000:00:04.0`);
  }
  if (address.device > 0x1f) {
    throw new RangeError(`"${text}" is not a PCI address: the device ${device} is above 1f (hexadecimal)`);
  }
  return address;
}

/** The address as sysfs names it. */
export function formatPciAddress(address: PciAddress): string {
  const part = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `${part(address.domain, 4)}:${part(address.bus, 2)}:${part(address.device, 2)}.${address.function}`;
}

/** `8086:7010 class 0x010180`, for messages. */
export function formatPciIdentity(identity: PciIdentity): string {
  const id = (value: number) => value.toString(16).padStart(4, '0');
  return `${id(identity.vendorId)}:${id(identity.deviceId)} class ${hex(identity.classCode, 24)}`;
}
