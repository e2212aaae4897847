import type { PciBoard } from '../boards/board.ts';
import { writeCommand } from '../qtest/bus.ts';
import type { QtestConnection } from '../qtest/qtest-connection.ts';
import { AddressAllocator, type AssignedBar, barSizes } from './assign.ts';
import { type FunctionNumber, PciConfigSpace } from './config-space.ts';
import { isIde, type PciFunction } from './pci-function.ts';

const COMMAND = 0x04;
const IO_SPACE = 0x1;
const MEMORY_SPACE = 0x2;
const INTERRUPT_DISABLE = 0x400;
const FIRST_BAR = 0x10;
const BARS = [0, 1, 2, 3, 4, 5];
const INTERRUPT_LINE = 0x3c;
const NOBODY = 0xffff;
const BUS_MASTER_BAR = 4;
/** Both drives of a channel can DMA, in its status register. Source: Programming Interface for Bus Master IDE, rev. 1.0, 2.2. */
const DMA_CAPABLE = 0x60n;
/** The status register of each channel. */
const BUS_MASTER_STATUS = [2n, 10n];

/**
 * Does what firmware does: finds the functions of bus 0, gives them addresses, lets them answer, and leaves IDE bus
 * masters as after a start: with the DMA mode that is selected announced. Bus mastering stays off.
 */
export function enumerate(qtest: QtestConnection, board: PciBoard): PciFunction[] {
  const config = new PciConfigSpace(qtest, board.config);
  for (const { offset, value, ...at } of board.config32) config.write32(at, offset, value);
  const ports = new AddressAllocator('ports', board.ports);
  const memory = new AddressAllocator('memory', board.memory);
  return findFunctions(config).map((at) => {
    const sizes = barSizes(sizeBars(config, at));
    const bars = sizes.map((size) => ({
      ...size,
      start: (size.kind === 'port' ? ports : memory).take(size.sizeBytes),
    }));
    const fn = { ...at, ...identify(config, at), bars };
    switchOn(config, fn, board);
    if (isIde(fn)) announceDma(qtest, fn, board);
    return fn;
  });
}

function findFunctions(config: PciConfigSpace): FunctionNumber[] {
  const first = Array.from({ length: 32 }, (_, device) => ({ device, function: 0 }));
  const there = present(config, first);
  const others = there
    .filter((at) => ((config.read32(at, 0x0c) >>> 16) & 0x80) !== 0)
    .flatMap(({ device }) => [1, 2, 3, 4, 5, 6, 7].map((number) => ({ device, function: number })));
  return [...there, ...present(config, others)]
    .filter((at) => ((config.read32(at, 0x0c) >>> 16) & 0x7f) === 0)
    .sort((one, other) => one.device - other.device || one.function - other.function);
}

function present(config: PciConfigSpace, candidates: readonly FunctionNumber[]): FunctionNumber[] {
  const ids = config.readAll(candidates.map((at) => ({ at, offset: 0 })));
  return candidates.filter((_, index) => ((ids[index] as number) & 0xffff) !== NOBODY);
}

/** Decoding is off meanwhile: an address of all ones would be real. */
function sizeBars(config: PciConfigSpace, at: FunctionNumber): number[] {
  config.write32(at, COMMAND, 0);
  for (const bar of BARS) config.write32(at, FIRST_BAR + 4 * bar, 0xffff_ffff);
  return config.readAll(BARS.map((bar) => ({ at, offset: FIRST_BAR + 4 * bar })));
}

function identify(config: PciConfigSpace, at: FunctionNumber) {
  const [id = 0, revision = 0, subsystem = 0, interrupt = 0] = config.readAll(
    [0x00, 0x08, 0x2c, INTERRUPT_LINE].map((offset) => ({ at, offset })),
  );
  return {
    vendorId: id & 0xffff,
    deviceId: id >>> 16,
    classCode: revision >>> 8,
    revision: revision & 0xff,
    subsystemVendorId: subsystem & 0xffff,
    subsystemId: subsystem >>> 16,
    pin: (interrupt >>> 8) & 0xff,
  };
}

function switchOn(config: PciConfigSpace, fn: PciFunction, board: PciBoard): void {
  for (const { bar, start, is64 } of fn.bars) {
    config.write32(fn, FIRST_BAR + 4 * bar, Number(BigInt.asUintN(32, start)));
    if (is64) config.write32(fn, FIRST_BAR + 4 * bar + 4, Number(start >> 32n));
  }
  const bits = fn.bars.reduce((all, { kind }) => all | (kind === 'port' ? IO_SPACE : MEMORY_SPACE), 0);
  // Who enables the interrupt lets the pin go: nobody would answer for it before, on a line that others share.
  config.write32(fn, COMMAND, INTERRUPT_DISABLE | bits | (isIde(fn) ? IO_SPACE : 0));
  if (fn.pin === 0) return;
  const line = board.intxLine(fn.device, fn.pin);
  config.write32(fn, INTERRUPT_LINE, (fn.pin << 8) | (line & 0xff));
}

function announceDma(qtest: QtestConnection, { bars }: PciFunction, { ports }: PciBoard): void {
  const busMaster = bars.find(({ bar }) => bar === BUS_MASTER_BAR) as AssignedBar | undefined;
  if (busMaster === undefined) return;
  const base = ports.cpuBase + busMaster.start;
  qtest.exchangeAll(BUS_MASTER_STATUS.map((offset) => writeCommand(ports.cpuBus, 8, base + offset, DMA_CAPABLE)));
}
