import type { ModelPins } from '@ring3/backend-sim/model';
import type { AtaDevice, Cable } from './ata-device.ts';
import { COMMAND, CONTROL, DEVICE, DIAGNOSTIC, REGISTER } from './ata-registers.ts';

/** From the register write to INTRQ, where the write makes it appear (ATA/ATAPI-6 section 5.2.9: within 400 ns). */
const INTRQ_DELAY_US = 0.3;

/** What a channel has around it. */
export interface ChannelParts {
  readonly pins: ModelPins;
  readonly devices: readonly [AtaDevice | undefined, AtaDevice | undefined];
  readonly floatingBus: number;
  /** The level of INTRQ as the host adapter sees it. */
  intrqChanged(): void;
  /** The selected device asserts DMARQ. */
  dmaRequested(): void;
  /** The host did what the standard leaves undefined. */
  violation(what: string): void;
}

/**
 * One cable with up to two devices. Both take every register write, the selected one answers and drives INTRQ
 * (ATA/ATAPI-6 sections 5.2.9, 7.7 and 9.16).
 */
export class AtaChannel implements Cable {
  readonly devices: readonly [AtaDevice | undefined, AtaDevice | undefined];
  readonly #parts: ChannelParts;
  #selected: 0 | 1 = 0;
  #control = 0;
  #intrq = false;

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.devices = parts.devices;
    for (const device of parts.devices) device?.connect(this);
  }

  get interruptsEnabled(): boolean {
    return (this.#control & CONTROL.nien) === 0;
  }

  get hasSlave(): boolean {
    return this.devices[1] !== undefined;
  }

  /** The level of INTRQ. */
  get intrq(): boolean {
    return this.#intrq;
  }

  /** Device 0 speaks for device 1 too (section 8.11, table 26). */
  diagnosticCode(number: 0 | 1): number {
    const own = this.devices[number]?.defects.diagnosticCode ?? DIAGNOSTIC.passed;
    const slave = this.devices[1]?.defects.diagnosticCode ?? DIAGNOSTIC.passed;
    return number === 0 && slave !== DIAGNOSTIC.passed ? own | DIAGNOSTIC.device1Failed : own;
  }

  /** A read of one of the registers 1 to 7. */
  read(offset: number): number {
    if (offset === REGISTER.status) return this.#readStatus(true);
    const device = this.#answering;
    if (device === undefined) return this.#parts.floatingBus;
    if (device.status.busy) {
      this.#whileOccupied(device, 'read', offset);
      return device.status.read(); // Indeterminate (section 7). Older drafts: the Status register.
    }
    return device.taskFile.read(offset, (this.#control & CONTROL.hob) !== 0);
  }

  /** A write to one of the registers 1 to 7. */
  write(offset: number, value: number): void {
    this.#control &= ~CONTROL.hob; // Section 6.20: any write to the command block clears HOB.
    const device = this.#answering;
    const isReset = offset === REGISTER.command && value === COMMAND.deviceReset && device?.kind === 'packet';
    if (device?.status.occupied === true && !isReset) this.#whileOccupied(device, 'write', offset);
    else if (offset === REGISTER.command) this.#writeCommand(value);
    else this.#writeParameter(offset, value);
  }

  readAlternateStatus(): number {
    return this.#readStatus(false);
  }

  /** Device Control reaches both devices, busy or not (section 7.8). */
  writeControl(value: number): void {
    const before = this.#control;
    this.#control = value;
    if (!this.interruptsEnabled) this.target?.clearInterrupt(); // Section 9.3: an idle device forgets what it wanted.
    const srst = (value & CONTROL.srst) !== 0;
    if (srst && (before & CONTROL.srst) === 0) this.stop();
    if (!srst && (before & CONTROL.srst) !== 0) {
      this.#selected = 0;
      for (const device of this.devices) device?.leaveReset();
    }
    this.#settleIntrq();
  }

  /** The device that executes commands, moves data and drives INTRQ; a ghost does it for a missing device 1. */
  get target(): AtaDevice | undefined {
    const ghost = this.#selected === 1 && this.devices[0]?.defects.ghostSlave === true;
    return this.devices[this.#selected] ?? (ghost ? this.devices[0] : undefined);
  }

  /** A device has changed its mind about an interrupt. */
  intrqChanged(): void {
    const level = this.interruptsEnabled && this.target?.interruptPending === true;
    if (level === this.#intrq) return;
    this.#intrq = level;
    this.#parts.intrqChanged();
  }

  dmaRequested(): void {
    this.#parts.dmaRequested();
  }

  powerOn(): void {
    this.#selected = 0;
    this.#control = 0;
    for (const device of this.devices) device?.powerOn();
  }

  powerOff(): void {
    for (const device of this.devices) device?.powerOff();
  }

  /** Nothing that is under way goes on. */
  stop(): void {
    for (const device of this.devices) device?.stop();
  }

  /** Who answers: device 0 stands in for a missing device 1 (section 9.16.1), nobody for a missing device 0. */
  get #answering(): AtaDevice | undefined {
    return this.devices[this.#selected] ?? (this.#selected === 1 ? this.devices[0] : undefined);
  }

  #readStatus(acknowledge: boolean): number {
    const { target } = this;
    if (target === undefined) return this.#answering === undefined ? this.#parts.floatingBus : 0; // 9.16.1: 00h.
    if (acknowledge) target.clearInterrupt();
    return target.status.read();
  }

  #writeParameter(offset: number, value: number): void {
    for (const device of this.devices) if (device?.status.occupied === false) device.taskFile.write(offset, value);
    if (offset !== REGISTER.device) return;
    this.#selected = (value & DEVICE.dev) === 0 ? 0 : 1;
    this.#settleIntrq();
  }

  #writeCommand(opcode: number): void {
    // Both devices execute the diagnostic, whichever is selected; device 0 reports (section 9.10).
    if (opcode === COMMAND.executeDeviceDiagnostic) {
      this.#selected = 0;
      for (const device of this.devices) device?.diagnose(device.number === 0);
    } else {
      this.target?.execute(opcode); // Without device 1: ignored (section 9.16.1).
    }
  }

  /** INTRQ goes away at once, but never appears inside the access that lets it through. */
  #settleIntrq(): void {
    const level = this.interruptsEnabled && this.target?.interruptPending === true;
    if (level && !this.#intrq) this.#parts.pins.after(INTRQ_DELAY_US, () => this.intrqChanged());
    else this.intrqChanged();
  }

  #whileOccupied(device: AtaDevice, access: 'read' | 'write', offset: number): void {
    const state = device.status.busy ? 'BSY' : 'DRQ';
    this.#parts.violation(`${access} of command block register ${offset} while ${device.name} has ${state} set`);
  }
}
