import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceErrorOf } from '@ring3/linux';
import type { PciConfigSpace } from './pci-config-space.ts';
import type { PciFunction } from './sysfs/pci-function.ts';
import { readAttribute } from './sysfs/text.ts';

const COMMAND = 0x04;
/** Bits of the command register. Source: PCI Local Bus 3.0, section 6.2.2. */
const IO_SPACE = 0x0001;
const MEMORY_SPACE = 0x0002;
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

/** Whether the registers of a function answer: its decoders are on, and it does not sleep. */
function isOn({ bars, folder, header }: PciFunction): boolean {
  const power = readAttribute(join(folder, 'power_state')) ?? 'unknown';
  const needed = bars.reduce((bits, { kind }) => bits | (kind === 'port' ? IO_SPACE : MEMORY_SPACE), 0);
  return (power === 'D0' || power === 'unknown') && ((header?.command ?? 0) & needed) === needed;
}

/**
 * Switches on a function that no kernel driver has, unless firmware or the last driver has left it on: with that, the
 * kernel also lets its interrupts through.
 * @returns the way back, or `undefined` where it was on.
 * @throws DeviceError `permission`.
 */
export function enableFunction(pci: PciFunction): (() => void) | undefined {
  const { address, folder, enabled } = pci;
  if (enabled !== 0 || isOn(pci)) return undefined;
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
