import type { DeviceModel, ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import { AtaChannel } from './ata-channel.ts';
import { AtaDevice } from './ata-device.ts';
import { REGISTER } from './ata-registers.ts';
import { DISK_COMMANDS, PACKET_COMMANDS } from './command-table.ts';
import type { Medium } from './medium.ts';
import type { ControllerOptions, DiskOptions } from './options.ts';

/** Where the Device Control and Alternate Status register is inside a control block of this size. */
const CONTROL_OFFSET = { compatibility: 0, native: 2 } as const;

/** At most so many violations are kept, the first ones. */
const VIOLATIONS_KEPT = 100;

/**
 * A PCI function with two ATA channels: the host adapter of the PCI IDE Controller Specification 1.0. Addresses and
 * widths arrive checked; everything else is the business of the channels.
 */
export class SffController implements DeviceModel {
  readonly channels: readonly [AtaChannel, AtaChannel];
  /** What the host did although the standard leaves the result undefined; a good driver leaves this empty. */
  readonly violations: string[] = [];
  readonly #pins: ModelPins;
  readonly #options: ControllerOptions;
  readonly #controlOffset: number;
  #powered = true;

  constructor(pins: ModelPins, options: ControllerOptions, media: ReadonlyMap<DiskOptions, Medium>) {
    this.#pins = pins;
    this.#options = options;
    this.#controlOffset = CONTROL_OFFSET[options.mode];
    this.channels = [this.#channel(0, media), this.#channel(1, media)];
    for (const channel of this.channels) channel.powerOn();
  }

  /** The disk at a place, for tests: its defects, its medium. */
  disk(channel: 0 | 1 = 0, position: 'master' | 'slave' = 'master'): AtaDevice | undefined {
    return this.channels[channel].devices[position === 'master' ? 0 : 1];
  }

  read(space: string, offset: number, width: Width): number {
    const channel = this.#channelOf(space);
    if (isControl(space)) return this.#readControl(channel, offset, width);
    if (offset === REGISTER.data && width !== 8) return this.#readData(channel, width);
    let value = 0;
    for (let byte = 0; byte < width / 8; byte++) value |= this.#readRegister(channel, offset + byte) << (8 * byte);
    return value >>> 0;
  }

  write(space: string, offset: number, width: Width, value: number): void {
    const channel = this.#channelOf(space);
    if (!this.#powered) return;
    if (isControl(space)) this.#writeControl(channel, offset, width, value);
    else if (offset === REGISTER.data && width !== 8) this.#writeData(channel, width, value);
    else {
      for (let byte = 0; byte < width / 8; byte++) {
        this.#writeRegister(channel, offset + byte, (value >>> (8 * byte)) & 0xff);
      }
    }
  }

  readFifo(space: string, offset: number, width: Width, into: Uint8Array): boolean {
    const device = this.#fifoOf(space, offset, width);
    if (device === undefined) return false;
    device.port.readInto(into);
    return true;
  }

  writeFifo(space: string, offset: number, width: Width, from: Uint8Array): boolean {
    const device = this.#fifoOf(space, offset, width);
    if (device === undefined) return false;
    device.port.writeFrom(from);
    return true;
  }

  /** The power goes: what the write caches hold is lost. Reads give the floating bus. */
  cutPower(): void {
    this.#powered = false;
    for (const channel of this.channels) channel.powerOff();
  }

  /** For tests: the power is back, the media hold what had reached them. */
  powerOn(): void {
    this.#powered = true;
    for (const channel of this.channels) channel.powerOn();
  }

  async close(): Promise<void> {
    const media = this.channels.flatMap(({ devices }) => devices).map((device) => device?.medium);
    for (const channel of this.channels) channel.stop();
    for (const medium of media) await medium?.close();
    this.#powered = false;
  }

  #channelOf(space: string): AtaChannel {
    return this.channels[space === 'command0' || space === 'control0' ? 0 : 1];
  }

  /** The device whose data register a run of accesses reaches; only where single accesses would do the same. */
  #fifoOf(space: string, offset: number, width: Width): AtaDevice | undefined {
    if (offset !== REGISTER.data || isControl(space) || !this.#powered) return undefined;
    if (width === 8 || (width === 32 && !this.#options.data32)) return undefined;
    const device = this.#channelOf(space).dataDevice;
    return device?.port.direction === 'closed' ? undefined : device;
  }

  #readRegister(channel: AtaChannel, offset: number): number {
    if (!this.#powered) return this.#options.floatingBus;
    return offset === REGISTER.data ? this.#readData(channel, 16) & 0xff : channel.read(offset);
  }

  #writeRegister(channel: AtaChannel, offset: number, value: number): void {
    if (offset === REGISTER.data) this.#writeData(channel, 16, value);
    else channel.write(offset, value);
  }

  /** A 32-bit access moves two words; without `data32`, one word and the two registers behind it. */
  #readData(channel: AtaChannel, width: 16 | 32): number {
    const device = channel.dataDevice;
    if (!this.#powered || device === undefined)
      return (0xffff_ff00 + this.#options.floatingBus) & (width === 16 ? 0xffff : -1);
    if (device.port.direction !== 'in') this.#violation(`read of the data register, but ${device.name} offers no data`);
    if (width === 16 || this.#options.data32) return device.port.read(width / 8);
    return (device.port.read(2) | (channel.read(2) << 16) | (channel.read(3) << 24)) >>> 0;
  }

  #writeData(channel: AtaChannel, width: 16 | 32, value: number): void {
    const device = channel.dataDevice;
    if (device === undefined) return;
    if (device.port.direction !== 'out')
      this.#violation(`write to the data register, but ${device.name} wants no data`);
    if (width === 16 || this.#options.data32) {
      device.port.write(width / 8, value);
      return;
    }
    device.port.write(2, value & 0xffff);
    channel.write(2, (value >>> 16) & 0xff);
    channel.write(3, value >>> 24);
  }

  #readControl(channel: AtaChannel, offset: number, width: Width): number {
    let value = 0;
    for (let byte = 0; byte < width / 8; byte++) {
      const here = offset + byte === this.#controlOffset && this.#powered;
      value |= (here ? channel.readAlternateStatus() : this.#options.floatingBus) << (8 * byte);
    }
    return value >>> 0;
  }

  #writeControl(channel: AtaChannel, offset: number, width: Width, value: number): void {
    for (let byte = 0; byte < width / 8; byte++) {
      if (offset + byte === this.#controlOffset) channel.writeControl((value >>> (8 * byte)) & 0xff);
    }
  }

  #channel(number: 0 | 1, media: ReadonlyMap<DiskOptions, Medium>): AtaChannel {
    const deviceAt = (position: 'master' | 'slave') => {
      const options = this.#options.disks.find((disk) => disk.channel === number && disk.position === position);
      const medium = options && media.get(options);
      return options && medium && this.#device(options, medium);
    };
    return new AtaChannel({
      pins: this.#pins,
      devices: [deviceAt('master'), deviceAt('slave')],
      floatingBus: this.#options.floatingBus,
      intrqChanged: (level) => this.#interrupt(number, level),
      violation: (what) => this.#violation(what),
    });
  }

  #device(options: DiskOptions, medium: Medium): AtaDevice {
    return new AtaDevice({
      pins: this.#pins,
      name: `disk at channel ${options.channel} ${options.position}`,
      number: options.position === 'master' ? 0 : 1,
      options,
      medium,
      defects: options.defects,
      commands: options.atapi ? PACKET_COMMANDS : DISK_COMMANDS,
    });
  }

  /** Compatibility mode: one edge-triggered interrupt per channel. Native mode: one level for both. */
  #interrupt(channel: 0 | 1, level: boolean): void {
    if (this.#options.mode === 'compatibility') {
      if (level) this.#pins.interrupt(channel).pulse();
      return;
    }
    const pin = this.#pins.interrupt(0);
    if (this.channels.some(({ intrq }) => intrq)) pin.raise();
    else pin.lower();
  }

  #violation(what: string): void {
    if (this.violations.length >= VIOLATIONS_KEPT) return;
    this.violations.push(what);
    this.#pins.log.warn(`the host does what ATA leaves undefined: ${what}`);
  }
}

function isControl(space: string): boolean {
  return space === 'control0' || space === 'control1';
}
