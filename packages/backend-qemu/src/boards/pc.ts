import type { Board } from './board.ts';

/** IRQs for PIRQA# to PIRQD#: those that the devices of a PC leave free. */
const PIRQ = [10, 11, 5, 7];
const PIRQ_REGISTERS = Buffer.from(PIRQ).readUInt32LE();
/** Both channels of the PIIX IDE controller decode their ports (IDETIM bit 15; 82371SB data sheet, section 2.3.9). */
const DECODE_BOTH_CHANNELS = 0x8000_8000;

/**
 * A PC of 1996: Intel 82441FX and 82371SB (PIIX3), whose IDE function is in compatibility mode. Lines of the I/O APIC are
 * intercepted, whose first 16 inputs are the IRQs of the AT.
 */
export const PC: Board = {
  name: 'pc',
  program: 'qemu-system-x86_64',
  debianPackage: 'qemu-system-x86',
  machine: 'pc,usb=off,acpi=off,hpet=off,vmport=off,smm=off',
  ramBytes: 64 << 20,
  arguments: ['-bios', '@rom'],
  rom: haltedProcessor,
  // The timer of the AT ticks from reset on: mode 0 without a count stops it.
  setUp: [{ bus: 'port', address: 0x43n, width: 8, value: 0x30n }],
  interrupts: { kind: 'intercepted', path: 'ioapic' },
  pci: {
    config: { kind: 'ports', address: 0xcf8n, data: 0xcfcn },
    ports: { first: 0xc000n, last: 0xffffn, cpuBus: 'port', cpuBase: 0n },
    memory: { first: 0xe000_0000n, last: 0xfebf_ffffn, cpuBus: 'memory', cpuBase: 0n },
    // Slot 1 has INTA# on PIRQA#, the next slots turn by one each.
    intxLine: (device, pin) => PIRQ[(device + pin + 2) & 3] as number,
    lineName: (line) => `IRQ ${line}`,
    config32: [
      { device: 1, function: 0, offset: 0x60, value: PIRQ_REGISTERS },
      { device: 1, function: 1, offset: 0x40, value: DECODE_BOTH_CHANNELS },
    ],
  },
  functions: { ide: { device: 1, function: 1 } },
  devices: {},
  dma: { ramOffset: 1 << 20, busAddress: 1n << 20n },
};

/** `cli; hlt; jmp -3` where the processor begins, 16 bytes below 1 MiB and 4 GiB. */
function haltedProcessor(): Uint8Array {
  const rom = new Uint8Array(0x1_0000).fill(0xf4);
  rom.set([0xfa, 0xf4, 0xeb, 0xfd], 0xfff0);
  return rom;
}
