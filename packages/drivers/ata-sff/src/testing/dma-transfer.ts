import type { DmaAllocator, DmaBuffer, RegisterSpace } from '@ring3/core';
import { pattern } from './pattern.ts';
import { type CommandStep, sectorsAsked } from './step.ts';

/** Registers of one channel of the bus master (SFF-8038i section 3). */
const COMMAND = 0;
const STATUS = 2;
const TABLE = 4;
const START = 0x01;
const TO_MEMORY = 0x08;
const ACTIVE = 0x01;
const ERROR_AND_INTERRUPT = 0x06;
const END_OF_TABLE = 0x8000_0000;

/** What the memory of a transfer holds; a table for more is shorter than the command. */
export const MOST_SECTORS = 256;
const MOST_BYTES = MOST_SECTORS * 512;
const SPARE_BYTES = 1024;

/** The bus master's part of a command, by a host that gives it a table of any shape. */
export class DmaTransfer {
  readonly #registers: RegisterSpace;
  readonly #base: number;
  readonly #table: DmaBuffer;
  readonly #memory: DmaBuffer;
  #lengthBytes = 0;
  #direction = 0;

  constructor(registers: RegisterSpace, base: number, allocator: DmaAllocator) {
    this.#registers = registers;
    this.#base = base;
    this.#table = allocator.allocate(4096, { alignment: 4096 });
    this.#memory = allocator.allocate(MOST_BYTES + SPARE_BYTES, { alignment: 0x1_0000 });
  }

  /** What memory holds, with what lies behind the transfer: nothing may write there. */
  get data(): Uint8Array {
    this.#memory.syncForCpu();
    return this.#memory.bytes.slice(0, this.#lengthBytes + SPARE_BYTES);
  }

  prepare(step: CommandStep, toMemory: boolean): void {
    this.#lengthBytes = Math.min(sectorsAsked(step) * 512, MOST_BYTES);
    const bytes = this.#memory.bytes.subarray(0, this.#lengthBytes + SPARE_BYTES);
    if (toMemory) bytes.fill(0xe5);
    else if (step.opcode === 0x06) putRanges(bytes, step);
    else bytes.set(pattern(bytes.length / 512, step.seed));
    this.#memory.syncForDevice();
    this.#putTable(step);
    this.#direction = toMemory ? TO_MEMORY : 0;
    const at = this.#base;
    this.#registers.sequence([
      { kind: 'write', width: 8, offset: at + COMMAND, value: this.#direction },
      { kind: 'write', width: 8, offset: at + STATUS, value: 0x60 | ERROR_AND_INTERRUPT },
      { kind: 'write', width: 32, offset: at + TABLE, value: Number(this.#table.busAddress) },
    ]);
  }

  start(): void {
    this.#registers.write8(this.#base + COMMAND, this.#direction | START);
  }

  /** Whether it is worth waiting: the device has not come to an end, and the bus master works. */
  running(alternateStatus: number): boolean {
    const requests = (alternateStatus & 0x08) !== 0;
    return requests && (this.#registers.read8(this.#base + STATUS) & (ACTIVE | 0x04)) === ACTIVE;
  }

  /** Stops the bus master; its status before and after. */
  finish(): Record<string, number> {
    const at = this.#base;
    const [before = -1, after = -1, cleared = -1] = this.#registers.sequence([
      { kind: 'read', width: 8, offset: at + STATUS },
      { kind: 'write', width: 8, offset: at + COMMAND, value: this.#direction },
      { kind: 'read', width: 8, offset: at + STATUS },
      { kind: 'write', width: 8, offset: at + STATUS, value: 0x60 | ERROR_AND_INTERRUPT },
      { kind: 'read', width: 8, offset: at + STATUS },
    ]);
    return { 'bus master': before, 'bus master stopped': after, 'bus master cleared': cleared };
  }

  /** Regions that begin at a multiple of 64 KiB and are cut at odd places. */
  #putTable({ table }: CommandStep): void {
    const view = new DataView(this.#table.bytes.buffer, this.#table.bytes.byteOffset);
    const total = this.#lengthBytes + (table === 'longer' ? 512 : table === 'shorter' ? -512 : 0);
    const step = table === 'pieces' ? 1538 : 0x1_0000;
    let entry = 0;
    for (let at = 0; at < Math.max(total, 2); entry++) {
      const toBoundary = 0x1_0000 - (at % 0x1_0000);
      const length = Math.min(step, toBoundary, Math.max(total, 2) - at);
      const last = at + length >= Math.max(total, 2);
      view.setUint32(entry * 8, Number(this.#memory.busAddress) + at, true);
      view.setUint32(entry * 8 + 4, ((length & 0xffff) | (last ? END_OF_TABLE : 0)) >>> 0, true);
      at += length;
    }
    this.#table.syncForDevice();
  }
}

/** Where streams trim: nowhere else, since the drafts leave open what a trimmed sector reads as. */
const TRIMMED = { first: 3500, sectors: 64 };

/** DATA SET MANAGEMENT: address in 48 bits, count in 16; zero counts are nothing. */
function putRanges(bytes: Uint8Array, { seed }: CommandStep): void {
  bytes.fill(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ranges = 1 + (seed % 5);
  for (let index = 0; index < ranges; index++) {
    const at = (seed * 7 + index * 13) % TRIMMED.sectors;
    const count = index === 3 ? 0 : Math.min(1 + ((seed + index) % 9), TRIMMED.sectors - at);
    const beyond = seed % 6 === 5 && index === 2 ? 0x10_0000_0000 : 0;
    view.setBigUint64(index * 8, (BigInt(count) << 48n) | BigInt(TRIMMED.first + at + beyond), true);
  }
}
