import type { PoolRunnerInitializer } from 'vitest/node';
import { MachineWorker } from './machine-worker.ts';

/** The devices of the machine that runs guest tests. */
export const guestDevices = [
  'edu,dma_mask=0xffffffff',
  'edu',
  'sdhci-pci',
  'pci-testdev',
  'pc-testdev',
  'pci-serial',
  'pci-serial-echo',
];

/**
 * A pool of vitest whose workers are virtual machines. Files are found, transformed, filtered and reported by the
 * vitest of the host; only the tests themselves run inside.
 */
export function machinePool(): PoolRunnerInitializer {
  return { name: 'vm', createPoolWorker: (options) => new MachineWorker(options, { devices: guestDevices }) };
}
