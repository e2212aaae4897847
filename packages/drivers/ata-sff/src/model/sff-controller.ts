import type { DeviceModel, ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import { AtaChannel } from './ata-channel.ts';
import { AtaDevice } from './ata-device.ts';
import { BusMaster } from './bus-master.ts';
import { BM_STATUS } from './bus-master-registers.ts';
import { ChannelWindow } from './channel-window.ts';
import { DISK_COMMANDS, PACKET_COMMANDS } from './command-table.ts';
import type { Medium } from './medium.ts';
import type { ControllerOptions, DiskOptions } from './options.ts';
import { localBusPorts, pciPorts, type SpacePort } from './space-ports.ts';
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
  readonly #ports: ReadonlyMap<string, SpacePort>;
  #powered = true;

  constructor(pins: ModelPins, options: ControllerOptions, media: ReadonlyMap<DiskOptions, Medium>) {
    this.#pins = pins;
    this.#options = options;
    this.#busMasters = [this.#busMaster(0), this.#busMaster(1)];
    this.#windows = [this.#window(0, media), this.#window(1, media)];
    const { bus } = options;
    this.#ports =
      bus.kind === 'memory' ? localBusPorts(this.#windows[0], bus) : pciPorts(this.#windows, this.#busMasters);
    for (const { channel } of this.#windows) channel.powerOn();
  }

  /** The disk at a place, for tests: its defects, its medium. */
  disk(channel: 0 | 1 = 0, position: 'master' | 'slave' = 'master'): AtaDevice | undefined {
    return this.#windows[channel].channel.devices[position === 'master' ? 0 : 1];
  }

  read(space: string, offset: number, width: Width): number {
    return this.#port(space)?.read(offset, width) ?? 2 ** width - 1;
  }

  write(space: string, offset: number, width: Width, value: number): void {
    this.#port(space)?.write(offset, width, value);
  }

  readFifo(space: string, offset: number, width: Width, into: Uint8Array): boolean {
    return this.#port(space)?.readFifo?.(offset, width, into) === true;
  }

  writeFifo(space: string, offset: number, width: Width, from: Uint8Array): boolean {
    return this.#port(space)?.writeFifo?.(offset, width, from) === true;
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

  /** Without power, nobody answers. */
  #port(space: string): SpacePort | undefined {
    return this.#powered ? this.#ports.get(space) : undefined;
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
    const { floatingBus, data32, mode, bus } = this.#options;
    const violation = (what: string) => this.#violation(what);
    const channel = new AtaChannel({
      pins: this.#pins,
      devices: [this.#device(number, 'master', media), this.#device(number, 'slave', media)],
      floatingBus,
      intrqChanged: () => this.#intrqChanged(number),
      dmaRequested: () => this.#busMasters[number].pump(),
      violation,
    });
    return new ChannelWindow(channel, {
      floatingBus,
      data32,
      controlOffset: mode === 'native' && bus.kind === 'pci' ? 2 : 0,
      violation,
    });
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
      firmwareMode:
        this.#options.dmaModes === 'firmware' && this.#options.bus.kind === 'pci' ? FIRMWARE_MODE : undefined,
      medium,
      commands: options.atapi ? PACKET_COMMANDS : DISK_COMMANDS,
    });
  }

  /** Compatibility mode: an interrupt per channel. Native mode: one for both. */
  #intrqChanged(number: 0 | 1): void {
    const { mode, bus } = this.#options;
    if (bus.kind === 'memory' && !bus.interrupt) return;
    const native = mode === 'native';
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
