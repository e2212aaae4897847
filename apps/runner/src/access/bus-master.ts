import { join } from 'node:path';
import { PciConfigSpace } from '@ring3/backend-uio';
import { type DeviceDescription, formatPciAddress } from '@ring3/core';
import { linuxRoots } from '@ring3/linux';

const COMMAND = 0x04;
/** Bus Master. Source: PCI Local Bus 3.0, section 6.2.2. */
const BUS_MASTER = 0x0004;

/**
 * Looks whether a device moves data by itself, and returns what lets it go on after it was closed here: the kernel takes
 * that from the device at every close of its UIO node, whoever else has it open. Source: Linux,
 * drivers/uio/uio_pci_generic.c, `release`.
 */
export function rememberBusMaster({ identity, simulated }: DeviceDescription): () => void {
  const address = identity.pci?.address;
  if (simulated || address === undefined) return () => {};
  const path = join(linuxRoots().sys, 'bus/pci/devices', formatPciAddress(address), 'config');
  const was = withConfig(path, (config) => config.read16(COMMAND) & BUS_MASTER);
  if (was === 0) return () => {};
  return () =>
    withConfig(path, (config) => {
      const command = config.read16(COMMAND);
      if ((command & BUS_MASTER) === 0) config.write16(COMMAND, command | BUS_MASTER);
    });
}

function withConfig<T>(path: string, use: (config: PciConfigSpace) => T): T {
  const config = new PciConfigSpace(path);
  try {
    return use(config);
  } finally {
    config.close();
  }
}
