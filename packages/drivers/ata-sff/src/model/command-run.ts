import type { AtaDevice } from './ata-device.ts';
import { ERROR, STATUS } from './ata-registers.ts';
import type { CommandDefect, InjectedFailure } from './defects.ts';
import type { AddressForm } from './task-file.ts';

/** How a command ends badly. */
export interface Failure {
  /** Bits of the Error register. */
  readonly error: number;
  /** The first sector that is to blame. */
  readonly lba?: number | undefined;
  readonly deviceFault?: boolean;
}

/** One data block between the device and the host. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly lengthBytes: number;
  /** The error that is posted with the block; it ends the command behind the block. */
  readonly failure?: Failure | undefined;
}

const READY = STATUS.drdy | STATUS.dsc;

/** The life of one command: its phases, in the order of the PIO protocols (ATA/ATAPI-6 sections 9.4 to 9.6). */
export class CommandRun {
  readonly device: AtaDevice;
  readonly opcode: number;
  /** How the registers name sectors in this command; for the address of a failure. */
  form: AddressForm;
  readonly #defect: CommandDefect | undefined;
  #block = 0;

  constructor(device: AtaDevice, opcode: number, defect: CommandDefect | undefined) {
    this.device = device;
    this.opcode = opcode;
    this.form = device.taskFile.addressForm;
    this.#defect = defect;
  }

  /** Time that passes before the command has any effect. */
  get delayUs(): number {
    return this.device.options.timing.commandUs + (this.#defect?.hangUs ?? 0);
  }

  /** PIO data-in: shows a block with an interrupt; `next` is called when the host has read it. Section 9.5. */
  offer(block: Block, next: () => void): void {
    if (this.#strikes('in')) return;
    const { device } = this;
    const { failure } = block;
    if (failure !== undefined) this.#post(failure);
    device.port.open('in', block.bytes, block.start, block.lengthBytes, () => {
      device.setStatus(failure === undefined ? STATUS.bsy : READY | STATUS.err);
      if (failure === undefined) next();
      else device.commandEnded();
    });
    this.#showData(READY | STATUS.drq | (failure === undefined ? 0 : STATUS.err), true);
  }

  /** PIO data-out: asks for a block, with an interrupt from the second one on. Section 9.6. */
  request(block: Block, next: () => void): void {
    const withInterrupt = this.#block > 0;
    if (this.#strikes('out')) return;
    this.device.port.open('out', block.bytes, block.start, block.lengthBytes, () => {
      this.device.setStatus(STATUS.bsy);
      next();
    });
    this.#showData(READY | STATUS.drq, withInterrupt);
  }

  /** The command has succeeded: says so with an interrupt. */
  complete(): void {
    if (this.#strikes('none')) return;
    this.device.setStatus(READY);
    this.#interrupt();
    this.device.commandEnded();
  }

  /** The command has succeeded with the last block that the host read: no interrupt follows it. */
  completeQuietly(): void {
    this.device.setStatus(READY);
    this.device.commandEnded();
  }

  /** The command has failed. */
  fail(failure: Failure): void {
    this.#post(failure);
    this.device.setStatus(READY | (failure.deviceFault === true ? STATUS.df : STATUS.err));
    this.#interrupt();
    this.device.commandEnded();
  }

  /** The command is not implemented, or not with these parameters. */
  abort(): void {
    this.fail({ error: ERROR.abrt });
  }

  #post(failure: Failure): void {
    const { taskFile, settings } = this.device;
    taskFile.error = failure.error;
    if (failure.lba !== undefined) taskFile.putAddress(failure.lba, this.form, settings.geometry);
  }

  /** BSY gives way to DRQ; with the defect, DRQ comes late or never. */
  #showData(status: number, withInterrupt: boolean): void {
    const late = this.#hit()?.lateDrqUs ?? 0;
    const interrupt = () => {
      if (withInterrupt) this.#interrupt();
    };
    this.device.setStatus(late > 0 ? status & ~STATUS.drq : status);
    interrupt();
    this.#block++;
    if (late > 0 && late < Number.POSITIVE_INFINITY) this.device.schedule(late, () => this.device.setStatus(status));
  }

  #interrupt(): void {
    if (this.#hit()?.loseInterrupt !== true) this.device.interrupt();
  }

  /** The defect, if it concerns the block that is next. */
  #hit(): CommandDefect | undefined {
    return this.#defect !== undefined && this.#defect.atBlock === this.#block ? this.#defect : undefined;
  }

  /** Ends the command by an injected error, if this is its place. */
  #strikes(direction: 'in' | 'out' | 'none'): boolean {
    const injected = this.#hit()?.fail;
    if (injected === undefined) return false;
    const { error, lba, deviceFault } = injected;
    this.fail({ error, lba, deviceFault });
    if (injected.drq !== 'none') this.#leaveDrq(injected, direction);
    return true;
  }

  /** DRQ beside the error: a block that may be transferred, or words that must be read before DRQ goes away. */
  #leaveDrq(injected: InjectedFailure, direction: 'in' | 'out' | 'none'): void {
    const { device } = this;
    const status = device.trueStatus;
    const lengthBytes = injected.drq === 'block' ? 512 : injected.stuckWords * 2;
    const way = injected.drq === 'block' && direction === 'out' ? 'out' : 'in';
    device.port.open(way, new Uint8Array(lengthBytes).fill(0x5a), 0, lengthBytes, () => device.setStatus(status));
    device.setStatus(status | STATUS.drq);
  }
}
