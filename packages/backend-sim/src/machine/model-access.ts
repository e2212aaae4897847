import { type RegisterAccess, readFifoByWords, type Width, writeFifoByWords } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import type { DeviceModel } from '../model/device-model.ts';

/** What nobody drives reads as ones. */
export function allOnes(width: Width): number {
  return width === 32 ? 0xffff_ffff : width === 16 ? 0xffff : 0xff;
}

/** One space of a device model as a bus: every access takes its time, and nobody answers while the space is not decoded. */
export class ModelAccess implements RegisterAccess {
  /** Whether the device answers here: present, powered, and decoding enabled. */
  live = true;
  readonly #clock: SimClock;
  readonly #costNs: number;
  readonly #model: DeviceModel;
  readonly #space: string;

  constructor(clock: SimClock, costNs: number, model: DeviceModel, space: string) {
    this.#clock = clock;
    this.#costNs = costNs;
    this.#model = model;
    this.#space = space;
  }

  read(offset: number, width: Width): number {
    this.#clock.pass(this.#costNs);
    if (!this.live) return allOnes(width);
    const value = this.#model.read(this.#space, offset, width);
    return width === 8 ? value & 0xff : width === 16 ? value & 0xffff : value >>> 0;
  }

  write(offset: number, width: Width, value: number): void {
    this.#clock.pass(this.#costNs);
    if (this.live) this.#model.write(this.#space, offset, width, value);
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    if (this.#wholeFifo('readFifo', offset, width, into)) return;
    readFifoByWords(this, offset, width, into);
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    if (this.#wholeFifo('writeFifo', offset, width, from)) return;
    writeFifoByWords(this, offset, width, from);
  }

  /** The model's shortcut, where it has one, wants it now, and nothing in the machine happens meanwhile. */
  #wholeFifo(direction: 'readFifo' | 'writeFifo', offset: number, width: Width, data: Uint8Array): boolean {
    if (!this.live || this.#model[direction] === undefined) return false;
    const ns = (data.length / (width / 8)) * this.#costNs;
    if (!this.#clock.leap(ns)) return false;
    const done = this.#model[direction](this.#space, offset, width, data);
    if (!done) this.#clock.takeBack(ns);
    return done;
  }
}
