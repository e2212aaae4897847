import type { FunctionNumber, PciConfigSpace } from './config-space.ts';

const COMMAND = 0x04;
const BUS_MASTER = 0x0004;
const INTERRUPT_DISABLE = 0x0400;
/** Bit 3 of the status register, in the upper half. */
const INTERRUPT_STATUS = 0x0008_0000;

/** Lets a function start transfers to memory, or ends that. */
export function setBusMaster(config: PciConfigSpace, at: FunctionNumber, on: boolean): void {
  change(config, at, BUS_MASTER, on);
}

/** Holds the interrupt pin of a function back, or lets it go. Source: PCI Local Bus 3.0, section 6.2.2. */
export function maskPin(config: PciConfigSpace, at: FunctionNumber, masked: boolean): void {
  change(config, at, INTERRUPT_DISABLE, masked);
}

/** Whether a function asserts its pin, or would if it was not masked. Source: PCI Local Bus 3.0, section 6.2.3. */
export function assertsPin(config: PciConfigSpace, at: FunctionNumber): boolean {
  const value = config.read32(at, COMMAND);
  return value !== 0xffff_ffff && (value & INTERRUPT_STATUS) !== 0;
}

/** The status half is cleared by ones: it is written with zeros. */
function change(config: PciConfigSpace, at: FunctionNumber, bit: number, on: boolean): void {
  const command = config.read32(at, COMMAND) & 0xffff;
  config.write32(at, COMMAND, on ? command | bit : command & ~bit);
}
