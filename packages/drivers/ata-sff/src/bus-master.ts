import { type BoundRegisters, bindRegisters, describeValue, isDeviceError, type RegisterSpace } from '@ring3/core';
import type { Direction } from './dma-memory.ts';
import { ALL_ONES, BUS_MASTER_COMMAND, BUS_MASTER_STATUS, busMasterLayout } from './registers.ts';
import type { Position } from './task-file.ts';

const HALT_ATTEMPTS = 3;
const CAPABLE = [BUS_MASTER_STATUS.DEV0_CAPABLE, BUS_MASTER_STATUS.DEV1_CAPABLE] as const;
const { START, TO_MEMORY } = BUS_MASTER_COMMAND;
const EVENTS = BUS_MASTER_STATUS.ERROR | BUS_MASTER_STATUS.INTERRUPT;

/** The bus master of one channel, as acts: load, start, look, stop (SFF-8038i, standard programming sequence). */
export class BusMaster {
  readonly #space: RegisterSpace;
  readonly #layout: ReturnType<typeof busMasterLayout>;
  readonly #registers: BoundRegisters<ReturnType<typeof busMasterLayout>>;
  /** What firmware left in the status; writing it otherwise would lose it. */
  readonly #firmware: number;
  /** Whether anything answers. */
  readonly present: boolean;
  #direction = 0;
  #runaway = false;

  constructor(space: RegisterSpace, channel: 0 | 1) {
    this.#space = space;
    this.#layout = busMasterLayout(channel);
    this.#registers = bindRegisters(space, this.#layout);
    const status = this.#registers.status.read();
    this.present = status !== ALL_ONES;
    this.#firmware = status & (CAPABLE[0] | CAPABLE[1] | BUS_MASTER_STATUS.SIMPLEX);
  }

  /** Whether firmware says that it prepared the device and the controller's timing for DMA. */
  isPrepared(position: Position): boolean {
    return (this.#firmware & CAPABLE[position]) !== 0;
  }

  /** Whether the two channels may not be active at the same time. */
  get simplex(): boolean {
    return (this.#firmware & BUS_MASTER_STATUS.SIMPLEX) !== 0;
  }

  /** What the device wrote to memory before is seen after this. */
  status(): number {
    return this.#space.readOrdered8(this.#layout.status.offset);
  }

  /** Names the table and the direction, and forgets what happened before; not active after this. */
  load(tableAddress: number, direction: Direction): void {
    this.#direction = direction === 'to-memory' ? TO_MEMORY : 0;
    this.#registers.tableAddress.write(tableAddress);
    this.#registers.command.write(this.#direction);
    this.clear();
  }

  /** Whether what {@link load} wrote arrived. */
  holds(tableAddress: number): boolean {
    const { command, tableAddress: table } = this.#registers;
    return table.read() === tableAddress && (command.read() & (TO_MEMORY | START)) === this.#direction;
  }

  /** Begins to move data; table and buffer are in memory before. */
  start(): void {
    this.#space.writeOrdered8(this.#layout.command.offset, this.#direction | START);
  }

  /** Ends it, at once. */
  stop(): void {
    this.#registers.command.write(this.#direction);
  }

  /** As {@link stop}, when something went wrong: makes sure. What cannot be stopped is not used again. */
  halt(): void {
    try {
      for (let attempt = 0; attempt < HALT_ATTEMPTS; attempt++) {
        this.stop();
        const status = this.status();
        if (status === ALL_ONES || (status & BUS_MASTER_STATUS.ACTIVE) === 0) return;
      }
      this.#runaway = true;
    } catch (error) {
      if (!isDeviceError(error)) throw error; // A space that was closed: who closed it has silenced the device.
    }
  }

  /** It did not stop: its memory belongs to it until the device is silenced. */
  get runaway(): boolean {
    return this.#runaway;
  }

  /** Takes the interrupt and error bits back. */
  clear(): void {
    this.#registers.status.write(this.#firmware | EVENTS);
  }
}

/** `bus master status 0x64 (INTERRUPT DEV0_CAPABLE DEV1_CAPABLE)`. */
export function describeBusMaster(status: number): string {
  return `bus master status ${describeValue(busMasterLayout(0).status, status)}`;
}
