import { type RegisterAccess, readFifoByWords, type Width, writeFifoByWords } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import { allOnes, type ModelAccess } from './model-access.ts';

/** One space of a device, at its place in the machine. */
export interface PlacedSpace {
  readonly holder: string;
  readonly name: string;
  readonly kind: 'memory' | 'port';
  readonly sizeBytes: number;
  /** Where it is decoded now: a PCI function can be moved. */
  base: number;
  /** The device without the faults of its bus. */
  readonly model: ModelAccess;
  /** What an access meets: faults included. */
  readonly access: RegisterAccess;
}

/** All memory or all ports of the machine, by address: for programs that have no handle of a device. */
export class AddressBus implements RegisterAccess {
  readonly #clock: SimClock;
  readonly #costNs: number;
  readonly #spaces: PlacedSpace[] = [];

  constructor(clock: SimClock, costNs: number) {
    this.#clock = clock;
    this.#costNs = costNs;
  }

  add(space: PlacedSpace): void {
    this.#spaces.push(space);
  }

  remove(space: PlacedSpace): void {
    const index = this.#spaces.indexOf(space);
    if (index >= 0) this.#spaces.splice(index, 1);
  }

  /** Where nobody answers, the bus floats: all ones. */
  read(address: number, width: Width): number {
    const space = this.#find(address, width);
    if (space !== undefined) return space.access.read(address - space.base, width);
    this.#clock.pass(this.#costNs);
    return allOnes(width);
  }

  write(address: number, width: Width, value: number): void {
    const space = this.#find(address, width);
    if (space === undefined) this.#clock.pass(this.#costNs);
    else space.access.write(address - space.base, width, value);
  }

  readFifo(address: number, width: Width, into: Uint8Array): void {
    const space = this.#find(address, width);
    if (space?.access.readFifo === undefined) readFifoByWords(this, address, width, into);
    else space.access.readFifo(address - space.base, width, into);
  }

  writeFifo(address: number, width: Width, from: Uint8Array): void {
    const space = this.#find(address, width);
    if (space?.access.writeFifo === undefined) writeFifoByWords(this, address, width, from);
    else space.access.writeFifo(address - space.base, width, from);
  }

  #find(address: number, width: Width): PlacedSpace | undefined {
    const end = address + width / 8;
    for (const space of this.#spaces) {
      if (space.model.live && space.base <= address && end <= space.base + space.sizeBytes) return space;
    }
    return undefined;
  }
}
