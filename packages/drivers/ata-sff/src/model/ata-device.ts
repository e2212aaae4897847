import type { ModelPins } from '@ring3/backend-sim/model';
import type { Logger, Timer } from '@ring3/core';
import { STATUS } from './ata-registers.ts';
import { CommandRun } from './command-run.ts';
import { DataPort } from './data-port.ts';
import { type Defects, takeDefect } from './defects.ts';
import { DriveSettings } from './drive-settings.ts';
import type { Medium } from './medium.ts';
import type { DiskOptions } from './options.ts';
import { TaskFile } from './task-file.ts';
import { TransferBuffer } from './transfer-buffer.ts';

/** What a command does; called when its delay has passed. */
export type CommandHandler = (run: CommandRun) => void;

/** What a device has around it. */
export interface DeviceParts {
  readonly pins: ModelPins;
  /** For messages: `disk at channel 0 master`. */
  readonly name: string;
  readonly number: 0 | 1;
  readonly options: DiskOptions;
  readonly medium: Medium;
  readonly defects: Defects;
  readonly commands: ReadonlyMap<number, CommandHandler>;
}

/** What a device tells its channel. */
export interface DeviceListener {
  /** nIEN of the Device Control register is clear. */
  readonly interruptsEnabled: boolean;
  intrqChanged(): void;
}

/** One device on a channel: its registers, its status, and the command that it is working on. */
export class AtaDevice {
  readonly name: string;
  readonly number: 0 | 1;
  readonly options: DiskOptions;
  readonly medium: Medium;
  readonly defects: Defects;
  readonly taskFile = new TaskFile();
  readonly port = new DataPort();
  readonly buffer = new TransferBuffer();
  readonly log: Logger;
  readonly settings: DriveSettings;
  readonly #pins: ModelPins;
  readonly #commands: ReadonlyMap<number, CommandHandler>;
  #listener: DeviceListener | undefined;
  #status: number = STATUS.bsy;
  #interruptPending = false;
  #timer: Timer | undefined;
  /** Changes when a reset makes everything void that is under way. */
  #life = 0;
  /** What Status still shows shortly after a change to BSY. */
  #stale = { status: 0, untilUs: 0, reads: 0 };

  constructor(parts: DeviceParts) {
    this.name = parts.name;
    this.number = parts.number;
    this.options = parts.options;
    this.medium = parts.medium;
    this.defects = parts.defects;
    this.settings = new DriveSettings(parts.options, parts.medium.store.sectors);
    this.log = parts.pins.log;
    this.#pins = parts.pins;
    this.#commands = parts.commands;
  }

  /** Called once by the channel. */
  connect(listener: DeviceListener): void {
    this.#listener = listener;
  }

  get kind(): 'ata' | 'packet' {
    return this.options.atapi ? 'packet' : 'ata';
  }

  /** Interrupt pending; drives INTRQ while the device is selected (ATA/ATAPI-6 section 5.2.9). */
  get interruptPending(): boolean {
    return this.#interruptPending;
  }

  /** BSY or DRQ: the host may only read the status or move data (section 7). */
  get occupied(): boolean {
    return (this.#status & (STATUS.bsy | STATUS.drq)) !== 0;
  }

  /** The status without the delays and defects of its appearance. */
  get trueStatus(): number {
    return this.#status;
  }

  /** Alternate Status: what the host sees. */
  readStatus(): number {
    if (this.defects.stuckStatus !== undefined) return this.defects.stuckStatus;
    if ((this.#status & STATUS.bsy) === 0) return this.#status;
    const { status, untilUs } = this.#stale;
    if (this.#stale.reads > 0 && this.#pins.nowUs() < untilUs) {
      this.#stale.reads--;
      return status;
    }
    return this.#status | this.defects.statusBitsWhileBusy;
  }

  /** Status: reading it ends a pending interrupt (section 7.15.3). */
  readStatusAndAcknowledge(): number {
    this.clearInterrupt();
    return this.readStatus();
  }

  /** A write to the Command register of the selected device. */
  execute(opcode: number): void {
    this.clearInterrupt();
    this.#cancel();
    this.port.close();
    // Section 9: BSY is set within 400 ns of the write; before that, the old status may be seen.
    this.#showStale(Number.POSITIVE_INFINITY);
    this.#status = STATUS.bsy;
    this.taskFile.error = 0;
    const run = new CommandRun(this, opcode, takeDefect(this.defects, opcode));
    const handler = this.#commands.get(opcode) ?? ((unknown) => unknown.abort());
    this.schedule(run.delayUs, () => handler(run));
  }

  /** Power comes on: section 9.1. */
  powerOn(): void {
    this.medium.powerOn();
    this.settings.restoreDefaults();
    this.#restart(this.options.timing.resetUs + this.options.timing.spinUpUs);
  }

  /** SRST is set: everything stops (section 9.2). */
  holdReset(): void {
    this.#void();
  }

  /** SRST is clear again. */
  leaveReset(): void {
    if (!this.settings.keepSettings) this.settings.restoreDefaults();
    this.#restart(this.options.timing.resetUs);
  }

  /** EXECUTE DEVICE DIAGNOSTIC and DEVICE RESET: the signature after a while, with an interrupt or without. */
  diagnose(withInterrupt: boolean): void {
    this.#restart(this.options.timing.commandUs, withInterrupt);
  }

  /** The power goes. */
  powerOff(): void {
    this.#void();
    this.medium.cutPower();
  }

  /** Does something later, unless a reset or a command comes before. */
  schedule(delayUs: number, callback: () => void): void {
    if (delayUs === Number.POSITIVE_INFINITY) return;
    const life = this.#life;
    this.#timer = this.#pins.after(delayUs, () => {
      if (life === this.#life) callback();
    });
  }

  /** Lets simulated time stand still until work of the real world is done, then goes on, unless a reset came. */
  await<T>(what: string, work: Promise<T>, callback: (result: T) => void): void {
    const life = this.#life;
    this.#pins.hold(
      `${this.name}: ${what}`,
      work.then((result) => {
        if (life === this.#life) callback(result);
      }),
    );
  }

  /** For commands: a change that the host can see. */
  setStatus(status: number): void {
    if ((status & STATUS.bsy) !== 0) this.#showStale(1);
    this.#status = status;
  }

  /** For commands: the request for attention. Without interrupts the state machines of section 9 leave it out. */
  interrupt(): void {
    if (this.#listener?.interruptsEnabled !== true) return;
    this.#interruptPending = true;
    this.#listener.intrqChanged();
  }

  clearInterrupt(): void {
    if (!this.#interruptPending) return;
    this.#interruptPending = false;
    this.#listener?.intrqChanged();
  }

  /** For commands: nothing more will come. */
  commandEnded(): void {
    this.#timer = undefined;
  }

  /** The old status for a moment, as often as `reads` says. */
  #showStale(reads: number): void {
    this.#stale = { status: this.#status, untilUs: this.#pins.nowUs() + this.options.timing.settleUs, reads };
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#life++;
  }

  #void(): void {
    this.#cancel();
    this.port.close();
    this.clearInterrupt();
    this.#status = STATUS.bsy;
    this.#stale.reads = 0;
  }

  #restart(delayUs: number, withInterrupt = false): void {
    this.#void();
    this.schedule(delayUs, () => {
      this.taskFile.putSignature(this.kind);
      this.taskFile.error = this.defects.diagnosticCode;
      this.settings.power = 'active';
      // Section 9.12: a packet device keeps DRDY clear until a command for packet devices.
      this.#status = this.kind === 'packet' ? 0 : STATUS.drdy | STATUS.dsc;
      if (withInterrupt) this.interrupt();
    });
  }
}
