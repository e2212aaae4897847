import type { ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import { BM_COMMAND, BM_STATUS, BUS_MASTER } from './bus-master-registers.ts';
import type { BusMasterDefects } from './defects.ts';
import type { DmaPort } from './dma-port.ts';
import { PrdTable } from './prd-table.ts';

/** From the start of the engine to its first transfer. */
const START_US = 0.5;

/** What one engine has around it. */
export interface BusMasterParts {
  readonly pins: ModelPins;
  /** What the Status register shows after power-on, as firmware leaves it. */
  readonly firmwareStatus: number;
  readonly defects: BusMasterDefects;
  /** The selected device of the channel. */
  device(): DmaPort | undefined;
  /** The other channel transfers, and only one at a time may. */
  blocked(): boolean;
  violation(what: string): void;
}

/**
 * The bus master of one channel (SFF-8038i): walks the table of regions and moves what the device asks for between it and
 * memory. Knows nothing of commands: it sees DMARQ and INTRQ only.
 */
export class BusMaster {
  readonly #parts: BusMasterParts;
  #command = 0;
  #status: number;
  #tableAddress = 0;
  /** While the engine runs. */
  #table: PrdTable | undefined;
  #pumping = false;

  constructor(parts: BusMasterParts) {
    this.#parts = parts;
    this.#status = parts.firmwareStatus;
  }

  /** The Active bit, as it truly is. */
  get active(): boolean {
    return (this.#status & BM_STATUS.active) !== 0;
  }

  /** Section 2: byte, word and dword accesses alike. `offset` counts from the first register of the channel. */
  read(offset: number, width: Width): number {
    let value = 0;
    for (let byte = 0; byte < width / 8; byte++) value |= this.#readByte(offset + byte) << (8 * byte);
    return value >>> 0;
  }

  write(offset: number, width: Width, value: number): void {
    for (let byte = 0; byte < width / 8; byte++) this.#writeByte(offset + byte, (value >>> (8 * byte)) & 0xff);
  }

  /** A rising edge of INTRQ: all that was buffered is in memory before the bit can be seen (section 3.2). */
  interruptRose(): void {
    if (!this.#parts.defects.interruptBitLost) this.#status |= BM_STATUS.interrupt;
  }

  /** The device asks for a transfer, or goes on asking after the engine was started. */
  pump(): void {
    if (this.#pumping) return; // The device goes on inside of `moved`.
    this.#pumping = true;
    const port = this.#parts.device();
    while (port !== undefined && this.#ready(port) && this.#step(port));
    this.#pumping = false;
  }

  /** The power is back, and firmware has been there. */
  powerOn(): void {
    this.#command = 0;
    this.#status = this.#parts.firmwareStatus;
    this.#tableAddress = 0;
    this.#table = undefined;
  }

  #ready(port: DmaPort): boolean {
    if (this.#table === undefined || port.direction === 'closed') return false;
    const toMemory = (this.#command & BM_COMMAND.toMemory) !== 0;
    if ((port.direction === 'in') === toMemory) return true;
    this.#parts.violation(`the bus master goes ${toMemory ? 'to' : 'from'} memory, the device the other way`);
    return false;
  }

  /** Moves what lies in one region. @returns whether the transfer goes on. */
  #step(port: DmaPort): boolean {
    const { memory } = this.#parts.pins;
    const table = this.#table;
    const room = table?.contiguousBytes();
    if (table === undefined || room === undefined) return this.#fail();
    const part = port.next(room);
    const moved = port.direction === 'in' ? memory.write(table.busAddress, part) : memory.read(table.busAddress, part);
    if (!moved) return this.#fail();
    table.advance(part.length);
    if (table.exhausted) this.#stop();
    port.moved(part.length);
    return true;
  }

  /** Memory does not answer: the engine stops, without an interrupt (sections 2.2 and 3.1). */
  #fail(): false {
    this.#status |= BM_STATUS.error;
    this.#stop();
    return false;
  }

  #stop(): void {
    this.#table = undefined;
    if (!this.#parts.defects.activeStuck) this.#status &= ~BM_STATUS.active;
  }

  #readByte(offset: number): number {
    if (offset === BUS_MASTER.command) return this.#command;
    if (offset === BUS_MASTER.status) return this.#status;
    if (offset < BUS_MASTER.table || offset >= BUS_MASTER.tableEnd) return 0;
    return (this.#tableAddress >>> (8 * (offset - BUS_MASTER.table))) & 0xff;
  }

  #writeByte(offset: number, value: number): void {
    if (offset === BUS_MASTER.command) this.#writeCommand(value);
    else if (offset === BUS_MASTER.status) this.#writeStatus(value);
    else if (offset >= BUS_MASTER.table && offset < BUS_MASTER.tableEnd) this.#writeTable(offset, value);
  }

  /** Starts by a change from 0 to 1; a 0 forgets where the engine was (section 2.1). */
  #writeCommand(value: number): void {
    const before = this.#command;
    this.#command = value & (BM_COMMAND.start | BM_COMMAND.toMemory);
    if (this.active && ((before ^ this.#command) & BM_COMMAND.toMemory) !== 0 && (value & BM_COMMAND.start) !== 0) {
      this.#parts.violation('the direction of the bus master changes while it is active');
    }
    if ((value & BM_COMMAND.start) === 0) this.#halt();
    else if ((before & BM_COMMAND.start) === 0) this.#start();
  }

  #start(): void {
    if (this.#parts.blocked()) {
      this.#parts.violation('both channels of a simplex controller transfer at once');
      return;
    }
    const { pins, violation } = this.#parts;
    this.#table = new PrdTable(pins.memory, this.#tableAddress, violation);
    this.#status |= BM_STATUS.active;
    pins.after(START_US, () => this.pump());
  }

  #halt(): void {
    this.#table = undefined;
    this.#status &= ~BM_STATUS.active;
  }

  /** Error and Interrupt are cleared by ones, the capability bits are storage, the others cannot be written. */
  #writeStatus(value: number): void {
    const stored = BM_STATUS.device0Capable | BM_STATUS.device1Capable;
    const cleared = value & (BM_STATUS.error | BM_STATUS.interrupt);
    this.#status = (this.#status & ~stored & ~cleared) | (value & stored);
  }

  /** Section 2.3: bits 1 and 0 are wired to zero. */
  #writeTable(offset: number, value: number): void {
    const shift = 8 * (offset - BUS_MASTER.table);
    if (this.active) this.#parts.violation('the table pointer of the bus master changes while it is active');
    this.#tableAddress = (((this.#tableAddress & ~(0xff << shift)) | (value << shift)) & ~0x3) >>> 0;
  }
}
