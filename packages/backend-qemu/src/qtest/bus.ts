import type { RegisterOp, Width } from '@ring3/core';
import type { QtestConnection } from './qtest-connection.ts';

/** Which of QEMU's buses an address belongs to: x86 I/O instructions, or memory as the processor sees it. */
export type BusKind = 'port' | 'memory';

/** A write of a board's set-up: the value and where it goes. */
export interface BusWrite {
  readonly bus: BusKind;
  readonly address: bigint;
  readonly width: Width | 64;
  readonly value: bigint;
}

const LETTERS = { 8: 'b', 16: 'w', 32: 'l', 64: 'q' } as const;

/** The text of a read, `inb 0x1f7` or `readl 0xfe000000`, with its line feed. */
export function readCommand(bus: BusKind, width: Width | 64, address: bigint | number): string {
  return `${bus === 'port' ? 'in' : 'read'}${letter(bus, width)} 0x${address.toString(16)}\n`;
}

/** The text of a write up to its value. */
export function writePrefix(bus: BusKind, width: Width | 64, address: bigint | number): string {
  return `${bus === 'port' ? 'out' : 'write'}${letter(bus, width)} 0x${address.toString(16)} 0x`;
}

/** The text of a write. */
export function writeCommand(
  bus: BusKind,
  width: Width | 64,
  address: bigint | number,
  value: bigint | number,
): string {
  return `${writePrefix(bus, width, address)}${value.toString(16)}\n`;
}

/** The text of one access of a sequence. */
export function opCommand(bus: BusKind, base: bigint, op: RegisterOp): string {
  const address = base + BigInt(op.offset);
  return op.kind === 'read' ? readCommand(bus, op.width, address) : writeCommand(bus, op.width, address, op.value);
}

/** One read by address; all ones when QEMU is gone. */
export function readBus(qtest: QtestConnection, bus: BusKind, width: Width | 64, address: bigint): bigint {
  let value = (1n << BigInt(width)) - 1n;
  qtest.exchange(readCommand(bus, width, address), 1, (low, high) => {
    value = (BigInt(high) << 32n) | BigInt(low);
  });
  return value;
}

/** Writes by address, in one round trip. */
export function writeBus(qtest: QtestConnection, writes: readonly BusWrite[]): void {
  qtest.exchangeAll(writes.map(({ bus, width, address, value }) => writeCommand(bus, width, address, value)));
}

function letter(bus: BusKind, width: Width | 64): string {
  if (bus === 'port' && width === 64) throw new RangeError('there is no I/O instruction of 64 bits');
  return LETTERS[width];
}
