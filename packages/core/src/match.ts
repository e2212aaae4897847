import { formatPciIdentity, type PciIdentity } from './pci.ts';

/** What is known of a device before any driver touches it. */
export interface DeviceIdentity {
  readonly pci?: PciIdentity;
  /** `compatible` of the device tree, the most specific first. */
  readonly compatible?: readonly string[];
  /** The name that the kernel's UIO driver or a board file gives it. */
  readonly name?: string;
}

/** What a driver says it can drive. */
export type MatchRule =
  | { readonly kind: 'pci-id'; readonly vendorId: number; readonly deviceId: number }
  | { readonly kind: 'pci-class'; readonly classCode: number; readonly mask: number }
  | { readonly kind: 'compatible'; readonly compatible: string }
  | { readonly kind: 'name'; readonly name: string };

/** Vendor and device number of a PCI function. */
export function pciId(vendorId: number, deviceId: number): MatchRule {
  return { kind: 'pci-id', vendorId, deviceId };
}

/** Class code of a PCI function, 24 bits; only the bits of `mask` count. Default: base class and sub-class. */
export function pciClass(classCode: number, mask = 0xffff00): MatchRule {
  return { kind: 'pci-class', classCode, mask };
}

/** A `compatible` string of the device tree. */
export function compatible(text: string): MatchRule {
  return { kind: 'compatible', compatible: text };
}

/** The name of a UIO device or of a window in a board's configuration. */
export function named(name: string): MatchRule {
  return { kind: 'name', name };
}

function matchesRule(rule: MatchRule, identity: DeviceIdentity): boolean {
  const { pci } = identity;
  switch (rule.kind) {
    case 'pci-id':
      return pci?.vendorId === rule.vendorId && pci.deviceId === rule.deviceId;
    case 'pci-class':
      return pci !== undefined && (pci.classCode & rule.mask) === (rule.classCode & rule.mask);
    case 'compatible':
      return identity.compatible?.includes(rule.compatible) ?? false;
    case 'name':
      return identity.name === rule.name;
  }
}

/** The first of `rules` that fits, or `undefined`. */
export function findMatch(rules: readonly MatchRule[], identity: DeviceIdentity): MatchRule | undefined {
  return rules.find((rule) => matchesRule(rule, identity));
}

/** An identity in words, for messages. */
export function formatIdentity(identity: DeviceIdentity): string {
  const parts = [
    identity.pci === undefined ? undefined : `PCI ${formatPciIdentity(identity.pci)}`,
    identity.compatible === undefined ? undefined : `compatible ${identity.compatible.join(', ')}`,
    identity.name === undefined ? undefined : `named "${identity.name}"`,
  ];
  return parts.filter((part) => part !== undefined).join(', ') || 'a device without identity';
}
