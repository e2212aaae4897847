import type { Width } from '@ring3/core';
import type { AtaChannel } from './ata-channel.ts';
import { REGISTER } from './ata-registers.ts';

/** How the host adapter connects a channel to its bus. */
export interface WindowParts {
  readonly floatingBus: number;
  /** A 32-bit access to the data register moves two words. */
  readonly data32: boolean;
  /** Where the Device Control and Alternate Status register is in the control block. */
  readonly controlOffset: number;
  violation(what: string): void;
}

/** One channel as the bus of the computer sees it: accesses of every width become cycles of the ATA bus. */
export class ChannelWindow {
  readonly channel: AtaChannel;
  readonly #parts: WindowParts;

  constructor(channel: AtaChannel, parts: WindowParts) {
    this.channel = channel;
    this.#parts = parts;
  }

  /** Command block: the data register takes wide accesses, the others are bytes side by side. */
  read(offset: number, width: Width): number {
    if (offset === REGISTER.data) return this.#readData(width);
    if (width === 8) return this.channel.read(offset);
    let value = 0;
    for (let byte = 0; byte < width / 8; byte++) value |= this.channel.read(offset + byte) << (8 * byte);
    return value >>> 0;
  }

  write(offset: number, width: Width, value: number): void {
    if (offset === REGISTER.data) this.#writeData(width, value);
    else if (width === 8) this.channel.write(offset, value);
    else {
      for (let byte = 0; byte < width / 8; byte++) this.channel.write(offset + byte, (value >>> (8 * byte)) & 0xff);
    }
  }

  readControl(offset: number, width: Width): number {
    let value = 0;
    for (let byte = 0; byte < width / 8; byte++) {
      const here = offset + byte === this.#parts.controlOffset;
      value |= (here ? this.channel.readAlternateStatus() : this.#parts.floatingBus) << (8 * byte);
    }
    return value >>> 0;
  }

  writeControl(offset: number, width: Width, value: number): void {
    const byte = this.#parts.controlOffset - offset;
    if (byte >= 0 && byte < width / 8) this.channel.writeControl((value >>> (8 * byte)) & 0xff);
  }

  /** A run of reads of the data register as one copy. @returns false where single accesses would do something else. */
  readFifo(offset: number, width: Width, into: Uint8Array): boolean {
    const port = this.#wholeBlocks(offset, width) ? this.channel.target?.port : undefined;
    if (port?.direction !== 'in') return false;
    port.readInto(into);
    return true;
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): boolean {
    const port = this.#wholeBlocks(offset, width) ? this.channel.target?.port : undefined;
    if (port?.direction !== 'out') return false;
    port.writeFrom(from);
    return true;
  }

  #wholeBlocks(offset: number, width: Width): boolean {
    return offset === REGISTER.data && (width === 8 ? this.#eightBit : width === 16 || this.#parts.data32);
  }

  /** SET FEATURES 01h: one byte per access. Otherwise an 8-bit access takes a whole word and loses half of it. */
  get #eightBit(): boolean {
    return this.channel.target?.settings.eightBit === true;
  }

  #readData(width: Width): number {
    const device = this.channel.target;
    // Nobody drives DD15-8; DD7 has its pull-down, or not.
    if (device === undefined) return ((0xffff_ff00 | this.#parts.floatingBus) >>> 0) % 2 ** width;
    const { port } = device;
    if (port.direction !== 'in') this.#parts.violation(`data read, but ${device.name} offers none`);
    if (width === 8) return this.#eightBit ? port.read(1) : port.read(2) & 0xff;
    if (width === 16 || this.#parts.data32) return port.read(width / 8);
    return (port.read(2) | (this.channel.read(2) << 16) | (this.channel.read(3) << 24)) >>> 0;
  }

  #writeData(width: Width, value: number): void {
    const device = this.channel.target;
    if (device === undefined) return;
    const { port } = device;
    if (port.direction !== 'out') this.#parts.violation(`data written, but ${device.name} wants none`);
    if (width === 8) port.write(this.#eightBit ? 1 : 2, value);
    else if (width === 16 || this.#parts.data32) port.write(width / 8, value);
    else {
      port.write(2, value & 0xffff);
      this.channel.write(2, (value >>> 16) & 0xff);
      this.channel.write(3, value >>> 24);
    }
  }
}
