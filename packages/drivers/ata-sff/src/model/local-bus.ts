import type { Width } from '@ring3/core';
import { REGISTER } from './ata-registers.ts';
import type { ChannelWindow } from './channel-window.ts';
import type { LocalBusOptions } from './options.ts';
import type { SpacePort } from './space-ports.ts';

/** Data lines that nobody drives. */
const FLOATING = 0xff;

/**
 * A channel on a local bus, as CompactFlash sockets in True IDE mode are wired: address lines below the stride are not
 * connected, and with 8 data lines a wider access becomes several cycles.
 */
export class LocalBusPort implements SpacePort {
  readonly #window: ChannelWindow;
  readonly #stride: number;
  readonly #dataWidth: 8 | 16;
  /** Where the control register is in this space, if it is. */
  readonly #controlOffset: number | undefined;
  readonly #registers: number;

  constructor(
    window: ChannelWindow,
    { stride, dataWidth }: LocalBusOptions,
    { registers, controlOffset }: { registers: number; controlOffset: number | undefined },
  ) {
    this.#window = window;
    this.#stride = stride;
    this.#dataWidth = dataWidth;
    this.#registers = registers;
    this.#controlOffset = controlOffset;
  }

  read(offset: number, width: Width): number {
    if (width <= this.#dataWidth) return this.#readCycle(offset, width);
    let value = 0;
    for (let bit = 0; bit < width; bit += this.#dataWidth) {
      value += this.#readCycle(offset + bit / 8, this.#dataWidth) * 2 ** bit;
    }
    return value;
  }

  write(offset: number, width: Width, value: number): void {
    const cycle = width < this.#dataWidth ? width : this.#dataWidth;
    for (let bit = 0; bit < width; bit += cycle) {
      this.#writeCycle(offset + bit / 8, cycle, (value >>> bit) & (2 ** cycle - 1));
    }
  }

  readFifo(offset: number, width: Width, into: Uint8Array): boolean {
    return this.#isData(offset, width) && this.#window.readFifo(REGISTER.data, width, into);
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): boolean {
    return this.#isData(offset, width) && this.#window.writeFifo(REGISTER.data, width, from);
  }

  #isData(offset: number, width: Width): boolean {
    return this.#registers > 0 && offset === 0 && width <= this.#dataWidth;
  }

  /** One cycle of the bus; a register of a byte sits on the lower data lines. */
  #readCycle(offset: number, width: Width): number {
    const upper = width === 16 ? FLOATING << 8 : 0;
    const register = this.#register(offset, width);
    if (register === 'control') return upper | this.#window.readControl(0, 8);
    if (register === 'none') return upper | FLOATING;
    const together = width === 16 && (register === REGISTER.data || this.#stride === 1);
    return together ? this.#window.read(register, 16) : upper | this.#window.read(register, 8);
  }

  #writeCycle(offset: number, width: Width, value: number): void {
    const register = this.#register(offset, width);
    if (register === 'none') return;
    if (register === 'control') this.#window.writeControl(0, 8, value & 0xff);
    else if (register === REGISTER.data || this.#stride === 1) this.#window.write(register, width, value);
    else this.#window.write(register, 8, value & 0xff);
  }

  #register(offset: number, width: Width): number | 'control' | 'none' {
    const slot = Math.floor(offset / this.#stride);
    // The upper half of a 16-bit bus, by itself: no register of the task file is there.
    const upperHalf = this.#dataWidth === 16 && width === 8 && this.#stride > 1 && offset % 2 === 1;
    if (upperHalf) return 'none';
    if (this.#controlOffset !== undefined && slot === Math.floor(this.#controlOffset / this.#stride)) return 'control';
    return slot < this.#registers ? slot : 'none';
  }
}
