import type { Board } from './board.ts';

const RAM = 0x4000_0000n;
/** QEMU leaves a device tree of up to 1 MiB at the start of memory. */
const PROGRAM_AT = RAM + 0x20_0000n;
const DMA_OFFSET = 0x40_0000;
/** The first of the four shared peripheral interrupts of PCI. */
const FIRST_INTX = 3;
const GIC_DISTRIBUTOR = 0x0800_0000n;
/** GICD_ISPENDR1, of the interrupts 32 to 63. Source: ARM IHI 0048, section 4.3.7. */
const FIRST_SHARED_PENDING = 0x204n;
/** `wfi; b -4`, little-endian. */
const SLEEP = '0x17ffffffd503207f';

/**
 * QEMU's own ARM board with 64 bits: PCI Express, and PrimeCells at fixed addresses. The shared peripheral interrupts of its
 * GIC are intercepted. Source: QEMU, hw/arm/virt.c.
 */
export const VIRT: Board = {
  name: 'virt',
  program: 'qemu-system-aarch64',
  debianPackage: 'qemu-system-arm',
  machine: 'virt,highmem=off,gic-version=2',
  ramBytes: 64 << 20,
  arguments: [
    ...['-cpu', 'cortex-a53'],
    ...['-device', `loader,addr=${PROGRAM_AT},data=${SLEEP},data-len=8`],
    ...['-device', `loader,addr=${PROGRAM_AT},cpu-num=0`],
  ],
  setUp: [],
  interrupts: { kind: 'intercepted', type: /^child<arm_gic>$/, assertedBits: GIC_DISTRIBUTOR + FIRST_SHARED_PENDING },
  pci: {
    config: { kind: 'memory', base: 0x3f00_0000n, deviceShift: 15, functionShift: 12 },
    ports: { first: 0x1000n, last: 0xffffn, cpuBus: 'memory', cpuBase: 0x3eff_0000n },
    memory: { first: 0x1000_0000n, last: 0x3efe_ffffn, cpuBus: 'memory', cpuBase: 0n },
    intxLine: (device, pin) => FIRST_INTX + ((device + pin - 1) & 3),
    lineName: (line) => `SPI ${line}`,
    config32: [],
  },
  functions: {},
  devices: {
    pl011: {
      compatible: ['arm,pl011', 'arm,primecell'],
      spaces: [{ name: 'registers', start: 0x0900_0000n, sizeBytes: 0x1000 }],
      interrupts: [{ name: 'interrupt', line: 1, called: 'SPI 1' }],
    },
    pl031: {
      compatible: ['arm,pl031', 'arm,primecell'],
      spaces: [{ name: 'registers', start: 0x0901_0000n, sizeBytes: 0x1000 }],
      interrupts: [{ name: 'alarm', line: 2, called: 'SPI 2' }],
    },
    pl061: {
      compatible: ['arm,pl061', 'arm,primecell'],
      spaces: [{ name: 'registers', start: 0x0903_0000n, sizeBytes: 0x1000 }],
      interrupts: [{ name: 'pins', line: 7, called: 'SPI 7' }],
    },
  },
  dma: { ramOffset: DMA_OFFSET, busAddress: RAM + BigInt(DMA_OFFSET) },
};
