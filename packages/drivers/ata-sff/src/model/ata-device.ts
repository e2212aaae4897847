import type { ModelPins } from '@ring3/backend-sim/model';
import type { Logger, Timer } from '@ring3/core';
import { STATUS } from './ata-registers.ts';
import { CommandRun } from './command-run.ts';
import { DataPort } from './data-port.ts';
import { type Defects, takeDefect } from './defects.ts';
import { DmaPort } from './dma-port.ts';
import { DriveSettings } from './drive-settings.ts';
import type { Medium } from './medium.ts';
import type { DiskOptions } from './options.ts';
import { StatusRegister } from './status-register.ts';
import { TaskFile } from './task-file.ts';
import { TransferBuffer } from './transfer-buffer.ts';
import type { DmaMode } from './transfer-mode.ts';

/** What a command does; called when its delay has passed. */
export type CommandHandler = (run: CommandRun) => void;

/** What a device has around it. */
export interface DeviceParts {
  readonly pins: ModelPins;
  /** For messages: `disk at channel 0 master`. */
  readonly name: string;
  readonly number: 0 | 1;
  readonly options: DiskOptions;
  /** The transfer mode that firmware selects, if it does. */
  readonly firmwareMode: DmaMode | undefined;
  readonly medium: Medium;
  readonly commands: ReadonlyMap<number, CommandHandler>;
}

/** The channel, as a device sees it. */
export interface Cable {
  /** nIEN of the Device Control register is clear. */
  readonly interruptsEnabled: boolean;
  /** There is a device 1. */
  readonly hasSlave: boolean;
  /** What device 0 or 1 says after resets and diagnostics. */
  diagnosticCode(number: 0 | 1): number;
  intrqChanged(): void;
  /** A device asserts DMARQ. */
  dmaRequested(): void;
}

/** One device on a channel: its registers, its status, and the command that it is working on. */
export class AtaDevice {
  readonly name: string;
  readonly number: 0 | 1;
  readonly options: DiskOptions;
  readonly medium: Medium;
  readonly defects: Defects;
  readonly settings: DriveSettings;
  readonly log: Logger;
  readonly taskFile = new TaskFile();
  readonly port = new DataPort();
  readonly dma = new DmaPort();
  readonly buffer = new TransferBuffer();
  readonly status: StatusRegister;
  /** The command before this one: some count only in pairs. */
  previousCommand = 0;
  readonly #pins: ModelPins;
  readonly #commands: ReadonlyMap<number, CommandHandler>;
  #cable: Cable | undefined;
  #command = 0;
  #interruptPending = false;
  /** What happens next: never more than one thing. */
  #timer: Timer | undefined;
  /** Changes when a reset or a command makes void what is awaited. */
  #life = 0;

  constructor(parts: DeviceParts) {
    this.name = parts.name;
    this.number = parts.number;
    this.options = parts.options;
    this.medium = parts.medium;
    this.defects = parts.options.defects;
    this.settings = new DriveSettings(parts.options, parts.medium.store.sectors, parts.firmwareMode);
    this.log = parts.pins.log;
    this.status = new StatusRegister(this.defects, parts.options.timing.settleUs, () => parts.pins.nowUs());
    this.#pins = parts.pins;
    this.#commands = parts.commands;
  }

  /** Called once by the channel. */
  connect(cable: Cable): void {
    this.#cable = cable;
  }

  get kind(): 'ata' | 'packet' {
    return this.options.atapi ? 'packet' : 'ata';
  }

  /** Status of a device that waits for a command; bit 4 has another meaning on packet devices. */
  get readyStatus(): number {
    return this.kind === 'ata' ? STATUS.drdy | STATUS.dsc : STATUS.drdy;
  }

  /** There is a device 1 beside this device 0. */
  get hasSlave(): boolean {
    return this.#cable?.hasSlave === true;
  }

  /** Interrupt pending; drives INTRQ while the device is selected (ATA/ATAPI-6 section 5.2.9). */
  get interruptPending(): boolean {
    return this.#interruptPending;
  }

  /** A write to the Command register of the selected device. */
  execute(opcode: number): void {
    this.clearInterrupt();
    if (this.settings.power === 'sleep') return; // Only a reset wakes it (section 8.50).
    this.#cancel();
    this.#closePorts();
    this.status.setBusyForCommand();
    this.taskFile.error = 0;
    this.previousCommand = this.#command;
    this.#command = opcode;
    const run = new CommandRun(this, takeDefect(this.defects, opcode));
    const handler = this.#commands.get(opcode) ?? ((unknown) => unknown.abort());
    this.schedule(run.delayUs, () => handler(run));
  }

  /** Power comes on: section 9.1. */
  powerOn(): void {
    this.medium.powerOn();
    this.settings.powerOn();
    this.#restart(this.options.timing.resetUs + this.options.timing.spinUpUs);
  }

  /** The power goes. */
  powerOff(): void {
    this.stop();
    this.medium.cutPower();
  }

  /** SRST is set, or worse: everything stops (section 9.2). */
  stop(): void {
    this.#cancel();
    this.#closePorts();
    this.clearInterrupt();
    this.status.set(STATUS.bsy);
  }

  /** SRST is clear again. */
  leaveReset(): void {
    this.settings.softwareReset();
    this.#restart(this.options.timing.resetUs + this.defects.resetHangUs);
  }

  /** EXECUTE DEVICE DIAGNOSTIC: the signature, with an interrupt or without (section 8.11). */
  diagnose(withInterrupt: boolean): void {
    this.#restart(this.options.timing.commandUs, withInterrupt);
  }

  /** DEVICE RESET of packet devices: the signature without interrupt, the selection stays (section 8.9). */
  resetDevice(): void {
    const selection = this.taskFile.deviceSelection;
    this.stop();
    this.schedule(this.options.timing.commandUs, () => this.#presentSignature(selection));
  }

  /** Does something later, unless a reset or a command comes before. */
  schedule(delayUs: number, callback: () => void): void {
    if (delayUs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#pins.after(delayUs, callback);
  }

  /** Lets simulated time stand still until work of the real world is done, then goes on, unless a reset came. */
  await<T>(what: string, work: Promise<T>, callback: (result: T) => void): void {
    const life = this.#life;
    const goOn = (result: T) => {
      if (life === this.#life) callback(result);
    };
    this.#pins.hold(`${this.name}: ${what}`, work.then(goOn));
  }

  /** Asks for attention. Without interrupts the state machines of section 9 leave it out. */
  interrupt(): void {
    if (this.#cable?.interruptsEnabled !== true) return;
    this.#interruptPending = true;
    this.#cable.intrqChanged();
  }

  /** Asks the host adapter for a DMA transfer; `done` is called at its last byte. */
  requestDma(direction: 'in' | 'out', bytes: Uint8Array, done: () => void): void {
    this.dma.open(direction, bytes, done);
    this.#cable?.dmaRequested();
  }

  /** The host has taken notice. */
  clearInterrupt(): void {
    if (!this.#interruptPending) return;
    this.#interruptPending = false;
    this.#cable?.intrqChanged();
  }

  #closePorts(): void {
    this.port.close();
    this.dma.close();
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#life++;
  }

  #restart(delayUs: number, withInterrupt = false): void {
    this.stop();
    this.schedule(delayUs, () => {
      this.#presentSignature(0);
      if (withInterrupt) this.interrupt();
    });
  }

  /** Section 9.12. A packet device keeps DRDY clear until it executes a command of packet devices. */
  #presentSignature(deviceSelection: number): void {
    this.taskFile.putSignature(this.kind, deviceSelection);
    this.taskFile.error = this.#cable?.diagnosticCode(this.number) ?? 0;
    this.settings.power = 'active';
    this.status.set(this.kind === 'packet' ? 0 : this.readyStatus);
  }
}
