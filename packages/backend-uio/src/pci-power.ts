import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceErrorOf } from '@ring3/linux';
import type { PciConfigSpace } from './pci-config-space.ts';
import type { PciFunction } from './sysfs/pci-function.ts';

const COMMAND = 0x04;
/** Bits of the command register. Source: PCI Local Bus 3.0, section 6.2.2. */
const BUS_MASTER = 0x0004;
const INTERRUPT_DISABLE = 0x0400;

/** Masks the line of a function: where no driver handles its interrupts, they would storm for all who share the line. */
export function maskInterrupt(config: PciConfigSpace): void {
  config.write16(COMMAND, config.read16(COMMAND) | INTERRUPT_DISABLE);
}

/** Lets a function start transfers to memory, or ends that. @returns whether it could before. */
export function setBusMaster(config: PciConfigSpace, on: boolean): boolean {
  const command = config.read16(COMMAND);
  const was = (command & BUS_MASTER) !== 0;
  if (was !== on) config.write16(COMMAND, on ? command | BUS_MASTER : command & ~BUS_MASTER);
  return was;
}

/**
 * Switches on a function that no kernel driver has: its decoders are off, or it sleeps.
 * @returns the way back, or `undefined` where it was on.
 * @throws DeviceError `permission`.
 */
export function enableFunction({ address, folder, enabled }: PciFunction): (() => void) | undefined {
  if (enabled !== 0) return undefined;
  const path = join(folder, 'enable');
  const write = (value: string) => {
    try {
      writeFileSync(path, value);
    } catch (error) {
      throw deviceErrorOf(error, `${address}: switching the function ${value === '1' ? 'on' : 'off'}`, {
        EACCES: `CAP_SYS_ADMIN is needed; or bind it to a UIO driver: ring3 bind ${address}`,
        EPERM: `CAP_SYS_ADMIN is needed; or bind it to a UIO driver: ring3 bind ${address}`,
      });
    }
  };
  write('1');
  return () => write('0');
}
