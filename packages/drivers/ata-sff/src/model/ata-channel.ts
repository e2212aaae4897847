import type { ModelPins } from '@ring3/backend-sim/model';
import type { AtaDevice } from './ata-device.ts';
import { COMMAND, CONTROL, DEVICE, REGISTER, STATUS } from './ata-registers.ts';

/** From the register write to INTRQ, where the write makes it appear (ATA/ATAPI-6 section 5.2.9: within 400 ns). */
const INTRQ_DELAY_US = 0.3;

/** What a channel has around it. */
export interface ChannelParts {
  readonly pins: ModelPins;
  readonly devices: readonly [AtaDevice | undefined, AtaDevice | undefined];
  readonly floatingBus: number;
  /** The level of INTRQ as the host adapter sees it. */
  intrqChanged(level: boolean): void;
  /** The host did what the standard leaves undefined. */
  violation(what: string): void;
}

/**
 * One cable with up to two devices. Both take every register write, the selected one answers and drives INTRQ
 * (ATA/ATAPI-6 sections 5.2.9, 7.7 and 9.16).
 */
export class AtaChannel {
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

  /** nIEN is clear; for the devices. */
  get interruptsEnabled(): boolean {
    return (this.#control & CONTROL.nien) === 0;
  }

  /** The level of INTRQ. */
  get intrq(): boolean {
    return this.#intrq;
  }

  /** A read of one of the registers 1 to 7. */
  read(offset: number): number {
    if (offset === REGISTER.status) return this.#readStatus(true);
    const device = this.#answering;
    if (device === undefined) return this.#parts.floatingBus;
    if ((device.trueStatus & STATUS.bsy) !== 0) {
      this.#whileOccupied(device, 'read', offset);
      return device.readStatus(); // Section 7: indeterminate. Older drafts: the Status register.
    }
    return device.taskFile.read(offset, (this.#control & CONTROL.hob) !== 0);
  }

  /** A write to one of the registers 1 to 7. */
  write(offset: number, value: number): void {
    this.#control &= ~CONTROL.hob; // Section 7.8.2: any write to the command block clears HOB.
    if (offset === REGISTER.command) {
      this.#writeCommand(value);
      return;
    }
    const selected = this.#answering;
    if (selected?.occupied === true) {
      this.#whileOccupied(selected, 'write', offset);
      return;
    }
    for (const device of this.devices) if (device?.occupied === false) device.taskFile.write(offset, value);
    if (offset === REGISTER.device) this.#select((value & DEVICE.dev) === 0 ? 0 : 1);
  }

  readAlternateStatus(): number {
    return this.#readStatus(false);
  }

  /** Device Control reaches both devices, busy or not (section 7.8). */
  writeControl(value: number): void {
    const before = this.#control;
    this.#control = value;
    const srst = (value & CONTROL.srst) !== 0;
    if (srst && (before & CONTROL.srst) === 0) for (const device of this.devices) device?.holdReset();
    if (!srst && (before & CONTROL.srst) !== 0) {
      this.#selected = 0;
      for (const device of this.devices) device?.leaveReset();
    }
    this.#settleIntrq();
  }

  /** The device that the data register belongs to. */
  get dataDevice(): AtaDevice | undefined {
    return this.devices[this.#selected] ?? this.#ghost();
  }

  /** A device has changed its mind about an interrupt. */
  intrqChanged(): void {
    const level = this.interruptsEnabled && this.dataDevice?.interruptPending === true;
    if (level === this.#intrq) return;
    this.#intrq = level;
    this.#parts.intrqChanged(level);
  }

  powerOn(): void {
    this.#selected = 0;
    this.#control = 0;
    for (const device of this.devices) device?.powerOn();
  }

  /** The end: nothing that is under way goes on. */
  stop(): void {
    for (const device of this.devices) device?.holdReset();
  }

  powerOff(): void {
    for (const device of this.devices) device?.powerOff();
  }

  /** Who answers: device 0 stands in for a missing device 1 (section 9.16.1), nobody for a missing device 0. */
  get #answering(): AtaDevice | undefined {
    return this.devices[this.#selected] ?? (this.#selected === 1 ? this.devices[0] : undefined);
  }

  /** A device 0 that also answers with its own status and executes commands when device 1 is selected. */
  #ghost(): AtaDevice | undefined {
    const device0 = this.devices[0];
    return this.#selected === 1 && device0?.defects.ghostSlave === true ? device0 : undefined;
  }

  #readStatus(acknowledge: boolean): number {
    const device = this.dataDevice;
    if (device !== undefined) return acknowledge ? device.readStatusAndAcknowledge() : device.readStatus();
    return this.#answering === undefined ? this.#parts.floatingBus : 0; // Section 9.16.1: 00h.
  }

  #writeCommand(opcode: number): void {
    if (opcode === COMMAND.executeDeviceDiagnostic) {
      this.#diagnose();
      return;
    }
    const device = this.dataDevice;
    if (device === undefined) return; // Section 9.16.1: ignored.
    if (device.occupied && !(device.kind === 'packet' && opcode === COMMAND.deviceReset)) {
      this.#whileOccupied(device, 'write', REGISTER.command);
      return;
    }
    device.execute(opcode);
  }

  /** Both devices execute it, whichever is selected; device 0 reports (section 9.10). */
  #diagnose(): void {
    if (this.#answering?.occupied === true) {
      this.#whileOccupied(this.#answering, 'write', REGISTER.command);
      return;
    }
    this.#selected = 0;
    for (const device of this.devices) device?.diagnose(device.number === 0);
  }

  #select(selected: 0 | 1): void {
    this.#selected = selected;
    this.#settleIntrq();
  }

  /** INTRQ goes away at once, but never appears inside the access that lets it through. */
  #settleIntrq(): void {
    const level = this.interruptsEnabled && this.dataDevice?.interruptPending === true;
    if (level && !this.#intrq) this.#parts.pins.after(INTRQ_DELAY_US, () => this.intrqChanged());
    else this.intrqChanged();
  }

  #whileOccupied(device: AtaDevice, access: 'read' | 'write', offset: number): void {
    const state = (device.trueStatus & STATUS.bsy) === 0 ? 'DRQ' : 'BSY';
    this.#parts.violation(`${access} of command block register ${offset} while ${device.name} has ${state} set`);
  }
}
