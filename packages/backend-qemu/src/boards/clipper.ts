import type { Board } from './board.ts';

// Addresses of the 21272 (Tsunami, Typhoon) chipset: Cchip, Pchip 0 and what it makes of PCI.
// Source: 21272 Chipset Hardware Reference Manual, chapters 6 and 10.
const PCI_MEMORY = 0x800_0000_0000n;
const PCHIP = 0x801_8000_0000n;
const DRIR = 0x801_a000_0300n;
const PCI_IO = 0x801_fc00_0000n;
const PCI_CONFIG = 0x801_fe00_0000n;

const WINDOW_BASE = PCHIP;
const WINDOW_MASK = PCHIP + 0x100n;
const TRANSLATED_BASE = PCHIP + 0x200n;
const WINDOW_ENABLE = 1n;
/** 1 GiB from here reaches memory from its start, untranslated. */
const DMA_BUS_ADDRESS = 0x8000_0000n;
const MASK_1_GIB = 0x3ff0_0000n;

const register = (address: bigint, value: bigint) => ({ bus: 'memory' as const, address, width: 64 as const, value });

/**
 * A DEC Alpha DP264, with a CMD646 IDE controller whose two channels are in native mode. QEMU tells no interrupt lines of
 * this chipset: its register of raw requests (DRIR) is polled.
 */
export const CLIPPER: Board = {
  name: 'clipper',
  program: 'qemu-system-alpha',
  debianPackage: 'qemu-system-misc',
  machine: 'clipper',
  ramBytes: 64 << 20,
  arguments: ['-bios', '@rom'],
  rom: haltedProcessor,
  setUp: [
    register(TRANSLATED_BASE, 0n),
    register(WINDOW_MASK, MASK_1_GIB),
    register(WINDOW_BASE, DMA_BUS_ADDRESS | WINDOW_ENABLE),
  ],
  interrupts: { kind: 'pending-register', address: DRIR },
  pci: {
    config: { kind: 'memory', base: PCI_CONFIG, deviceShift: 11, functionShift: 8 },
    ports: { first: 0x9000n, last: 0xffffn, cpuBus: 'memory', cpuBase: PCI_IO },
    memory: { first: 0x0800_0000n, last: 0x3fff_ffffn, cpuBus: 'memory', cpuBase: PCI_MEMORY },
    intxLine: (device, pin) => (device + 1) * 4 + pin - 1,
    lineName: (line) => `DRIR bit ${line}`,
    config32: [],
  },
  functions: { ide: { device: 1, function: 0 } },
  devices: {},
  dma: { ramOffset: 1 << 20, busAddress: DMA_BUS_ADDRESS + (1n << 20n) },
};

/** `hw_mtpr r31, wait`: the processor of QEMU sleeps; then `br` back to it. */
const WAIT = 0x77ff_00fd;
const BRANCH_BACK = 0xc3ff_fffe;
/** The loader of QEMU wants PALcode as an ELF file; this address is the first megabyte of memory. */
const ENTRY = 0xffff_fc00_0001_0000n;
const HEADERS_BYTES = 120;
const EM_ALPHA = 0x9026;

function haltedProcessor(): Uint8Array {
  const file = Buffer.alloc(HEADERS_BYTES + 8);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bits, little-endian.
  file.writeUInt16LE(2, 16); // An executable.
  file.writeUInt16LE(EM_ALPHA, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(ENTRY, 24);
  file.writeBigUInt64LE(64n, 32); // One program header follows.
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(5, 68); // To be read and executed.
  file.writeBigUInt64LE(BigInt(HEADERS_BYTES), 72);
  file.writeBigUInt64LE(ENTRY, 80);
  file.writeBigUInt64LE(ENTRY, 88);
  file.writeBigUInt64LE(8n, 96);
  file.writeBigUInt64LE(8n, 104);
  file.writeBigUInt64LE(8n, 112);
  file.writeUInt32LE(WAIT, HEADERS_BYTES);
  file.writeUInt32LE(BRANCH_BACK, HEADERS_BYTES + 4);
  return file;
}
