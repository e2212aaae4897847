import type { DeviceModel, ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import { AtaChannel } from './ata-channel.ts';
import { AtaDevice } from './ata-device.ts';
import { BusMaster } from './bus-master.ts';
import { BM_STATUS, BUS_MASTER } from './bus-master-registers.ts';
import { ChannelWindow } from './channel-window.ts';
import { DISK_COMMANDS, PACKET_COMMANDS } from './command-table.ts';
import type { Medium } from './medium.ts';
import type { ControllerOptions, DiskOptions } from './options.ts';
import { FIRMWARE_MODE } from './transfer-mode.ts';

/** At most so many violations are kept, the first ones. */
const VIOLATIONS_KEPT = 100;

/**
 * A PCI function with two ATA channels: the host adapter of the PCI IDE Controller Specification 1.0, with the bus master
 * of SFF-8038i. Addresses and widths arrive checked.
 */
export class SffController implements DeviceModel {
  /** What the host did although the standard leaves the result undefined; a good driver leaves this empty. */
  readonly violations: string[] = [];
  readonly #pins: ModelPins;
  readonly #options: ControllerOptions;
  readonly #windows: readonly [ChannelWindow, ChannelWindow];
  readonly #busMasters: readonly [BusMaster, BusMaster];
  #powered = true;

  constructor(pins: ModelPins, options: ControllerOptions, media: ReadonlyMap<DiskOptions, Medium>) {
    this.#pins = pins;
    this.#options = options;
    this.#busMasters = [this.#busMaster(0), this.#busMaster(1)];
    this.#windows = [this.#window(0, media), this.#window(1, media)];
    for (const { channel } of this.#windows) channel.powerOn();
  }

  /** The disk at a place, for tests: its defects, its medium. */
  disk(channel: 0 | 1 = 0, position: 'master' | 'slave' = 'master'): AtaDevice | undefined {
    return this.#windows[channel].channel.devices[position === 'master' ? 0 : 1];
  }

  read(space: string, offset: number, width: Width): number {
    if (!this.#powered) return 2 ** width - 1;
    switch (space) {
      case 'command0':
        return this.#windows[0].read(offset, width);
      case 'control0':
        return this.#windows[0].readControl(offset, width);
      case 'command1':
        return this.#windows[1].read(offset, width);
      case 'control1':
        return this.#windows[1].readControl(offset, width);
      default:
        return this.#busMasters[busMasterOf(offset)].read(offset % BUS_MASTER.channelBytes, width);
    }
  }

  write(space: string, offset: number, width: Width, value: number): void {
    if (!this.#powered) return;
    if (space === 'busMaster') {
      this.#busMasters[busMasterOf(offset)].write(offset % BUS_MASTER.channelBytes, width, value);
      return;
    }
    const window = this.#windows[space === 'command0' || space === 'control0' ? 0 : 1];
    if (isCommandBlock(space)) window.write(offset, width, value);
    else window.writeControl(offset, width, value);
  }

  readFifo(space: string, offset: number, width: Width, into: Uint8Array): boolean {
    if (!this.#powered || !isCommandBlock(space)) return false;
    return this.#windows[space === 'command0' ? 0 : 1].readFifo(offset, width, into);
  }

  writeFifo(space: string, offset: number, width: Width, from: Uint8Array): boolean {
    if (!this.#powered || !isCommandBlock(space)) return false;
    return this.#windows[space === 'command0' ? 0 : 1].writeFifo(offset, width, from);
  }

  /** The power goes: what the write caches hold is lost. Nobody answers any more. */
  cutPower(): void {
    if (!this.#powered) return;
    this.#powered = false;
    for (const { channel } of this.#windows) channel.powerOff();
  }

  /** For tests: the power is back, the media hold what had reached them. */
  powerOn(): void {
    this.#powered = true;
    for (const busMaster of this.#busMasters) busMaster.powerOn();
    for (const { channel } of this.#windows) channel.powerOn();
  }

  /** Switches off in order: what is cached reaches the media, unless the power was cut before. */
  async close(): Promise<void> {
    this.#powered = false;
    for (const { channel } of this.#windows) channel.stop();
    for (const { channel } of this.#windows) {
      for (const device of channel.devices) await device?.medium.close();
    }
  }

  #busMaster(number: 0 | 1): BusMaster {
    const { busMasterDefects, simplex } = this.#options;
    return new BusMaster({
      pins: this.#pins,
      firmwareStatus: this.#firmwareStatus(number),
      defects: busMasterDefects,
      device: () => this.#windows[number].channel.target?.dma,
      blocked: () => simplex && this.#busMasters[number === 0 ? 1 : 0].active,
      violation: (what) => this.#violation(what),
    });
  }

  /** Bits 5 and 6 say for which device firmware has prepared DMA (SFF-8038i section 2.2). */
  #firmwareStatus(number: 0 | 1): number {
    const { dmaModes, disks, simplex } = this.#options;
    const ready = disks.filter(({ channel, dma }) => dmaModes === 'firmware' && channel === number && dma);
    const bits = { master: BM_STATUS.device0Capable, slave: BM_STATUS.device1Capable };
    const status = ready.reduce((sum, { position }) => sum | bits[position], 0);
    return simplex ? status | BM_STATUS.simplex : status;
  }

  #window(number: 0 | 1, media: ReadonlyMap<DiskOptions, Medium>): ChannelWindow {
    const { floatingBus, data32, mode } = this.#options;
    const violation = (what: string) => this.#violation(what);
    const channel = new AtaChannel({
      pins: this.#pins,
      devices: [this.#device(number, 'master', media), this.#device(number, 'slave', media)],
      floatingBus,
      intrqChanged: () => this.#intrqChanged(number),
      dmaRequested: () => this.#busMasters[number].pump(),
      violation,
    });
    return new ChannelWindow(channel, { floatingBus, data32, controlOffset: mode === 'native' ? 2 : 0, violation });
  }

  #device(
    channel: 0 | 1,
    position: 'master' | 'slave',
    media: ReadonlyMap<DiskOptions, Medium>,
  ): AtaDevice | undefined {
    const options = this.#options.disks.find((disk) => disk.channel === channel && disk.position === position);
    const medium = options && media.get(options);
    if (options === undefined || medium === undefined) return undefined;
    return new AtaDevice({
      pins: this.#pins,
      name: `disk at channel ${channel} ${position}`,
      number: position === 'master' ? 0 : 1,
      options,
      firmwareMode: this.#options.dmaModes === 'firmware' ? FIRMWARE_MODE : undefined,
      medium,
      commands: options.atapi ? PACKET_COMMANDS : DISK_COMMANDS,
    });
  }

  /** Compatibility mode: an interrupt per channel. Native mode: one for both. */
  #intrqChanged(number: 0 | 1): void {
    const native = this.#options.mode === 'native';
    if (this.#windows[number].channel.intrq) this.#busMasters[number].interruptRose();
    const concerned = native ? this.#windows : [this.#windows[number]];
    const pin = this.#pins.interrupt(native ? 0 : number);
    if (concerned.some(({ channel }) => channel.intrq)) pin.raise();
    else pin.lower();
  }

  #violation(what: string): void {
    if (this.violations.length >= VIOLATIONS_KEPT) return;
    this.violations.push(what);
    this.#pins.log.warn(`the host does what ATA leaves undefined: ${what}`);
  }
}

function busMasterOf(offset: number): 0 | 1 {
  return offset < BUS_MASTER.channelBytes ? 0 : 1;
}

function isCommandBlock(space: string): boolean {
  return space === 'command0' || space === 'command1';
}
