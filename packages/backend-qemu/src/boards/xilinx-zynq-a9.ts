import type { Board, BoardDevice } from './board.ts';

const PROGRAM_AT = 0x0010_0000;
/** `wfi; b -4`, little-endian. */
const SLEEP = '0xeafffffde320f003';

/** In the private memory of the processors. Source: UG585, table 4-7. */
const GIC_DISTRIBUTOR = 0xf8f0_1000n;
/** ICDISPR1, of the interrupts 32 to 63. */
const FIRST_SHARED_PENDING = 0x204n;

/** Shared peripheral interrupts begin at number 32 of the GIC. Source: UG585, table 7-4. */
const FIRST_SHARED = 32;

function controller(compatible: readonly string[], start: bigint, interrupt: number): BoardDevice {
  const line = interrupt - FIRST_SHARED;
  return {
    compatible,
    spaces: [{ name: 'registers', start, sizeBytes: 0x1000 }],
    interrupts: [{ name: 'interrupt', line, called: `SPI ${line}` }],
  };
}

const CADENCE = ['xlnx,zynq-spi-r1p6', 'cdns,spi-r1p6'];

/**
 * A Xilinx Zynq-7000 with its SPI controllers, which have flash chips (n25q128) behind them.
 * Source: Zynq-7000 Technical Reference Manual (UG585), appendix B.
 */
export const XILINX_ZYNQ_A9: Board = {
  name: 'xilinx-zynq-a9',
  program: 'qemu-system-aarch64',
  debianPackage: 'qemu-system-arm',
  machine: 'xilinx-zynq-a9',
  ramBytes: 64 << 20,
  arguments: [
    ...['-device', `loader,addr=${PROGRAM_AT},data=${SLEEP},data-len=8`],
    ...['-device', `loader,addr=${PROGRAM_AT},cpu-num=0`],
  ],
  setUp: [],
  interrupts: { kind: 'intercepted', type: /^child<arm_gic>$/, assertedBits: GIC_DISTRIBUTOR + FIRST_SHARED_PENDING },
  functions: {},
  devices: {
    spi0: controller(CADENCE, 0xe000_6000n, 58),
    spi1: controller(CADENCE, 0xe000_7000n, 81),
    qspi: controller(['xlnx,zynq-qspi-1.0'], 0xe000_d000n, 51),
    uart0: controller(['xlnx,xuartps', 'cdns,uart-r1p8'], 0xe000_0000n, 59),
    uart1: controller(['xlnx,xuartps', 'cdns,uart-r1p8'], 0xe000_1000n, 82),
  },
};
