import { DeviceError, hex } from '@ring3/core';
import type { AddressWindow } from '../boards/board.ts';

/** What a base address register decodes. */
export interface BarSize {
  /** Its number, of the lower half where it has 64 bits. */
  readonly bar: number;
  readonly kind: 'memory' | 'port';
  readonly sizeBytes: number;
  readonly is64: boolean;
}

/** A base address register with its address on the bus. */
export interface AssignedBar extends BarSize {
  readonly start: bigint;
}

/** Pages of the processor hold one device each. */
const SMALLEST_MEMORY = 0x1000n;
const IO_BIT = 1;
const IO_FLAGS = 0x3;
const MEMORY_FLAGS = 0xf;
/** Bits 2:1 of a memory register. */
const TYPE_64 = 0x4;
const TYPE_MASK = 0x6;

/**
 * What the six registers decode, from what they read after all ones were written to them.
 * Source: PCI Local Bus 3.0, section 6.2.5.1.
 */
export function barSizes(masks: readonly number[]): BarSize[] {
  const bars: BarSize[] = [];
  for (let bar = 0; bar < masks.length; bar++) {
    const mask = masks[bar] ?? 0;
    if (mask === 0 || mask === 0xffff_ffff) continue;
    const isPort = (mask & IO_BIT) !== 0;
    const is64 = !isPort && (mask & TYPE_MASK) === TYPE_64;
    const low = (mask & ~(isPort ? IO_FLAGS : MEMORY_FLAGS)) >>> 0;
    const high = is64 ? (masks[bar + 1] ?? 0) : 0xffff_ffff;
    const decoded = (BigInt(high) << 32n) | BigInt(low);
    const size = isPort ? Number(BigInt.asUintN(16, -decoded) || 0x1_0000n) : Number(BigInt.asUintN(64, -decoded));
    if (decoded !== 0n) bars.push({ bar, kind: isPort ? 'port' : 'memory', sizeBytes: size, is64 });
    if (is64) bar++;
  }
  return bars;
}

/** Hands out the bus addresses of one window, each range at a multiple of its size. */
export class AddressAllocator {
  readonly #window: AddressWindow;
  readonly #what: string;
  #next: bigint;

  constructor(what: string, window: AddressWindow) {
    this.#what = what;
    this.#window = window;
    this.#next = window.first;
  }

  /** @throws DeviceError `unsupported` when the window is full. */
  take(sizeBytes: number): bigint {
    const size = BigInt(sizeBytes);
    const least = this.#what === 'memory' ? SMALLEST_MEMORY : 4n;
    const step = size > least ? size : least;
    const start = ((this.#next + step - 1n) / step) * step;
    if (start + size - 1n > this.#window.last) {
      throw new DeviceError(
        'unsupported',
        `the board has no ${hex(size)} bytes of PCI ${this.#what} left between ${hex(this.#window.first)} and ${hex(this.#window.last)}: take a device off`,
      );
    }
    this.#next = start + size;
    return start;
  }
}
