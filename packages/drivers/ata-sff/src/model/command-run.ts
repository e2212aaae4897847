import type { AtaDevice } from './ata-device.ts';
import { ERROR, REGISTER, SECTOR_BYTES, STATUS } from './ata-registers.ts';
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

type Direction = 'in' | 'out' | 'none';

/** The life of one command: its phases, in the order of the protocols (ATA/ATAPI-6 sections 9.4 to 9.7). */
export class CommandRun {
  readonly device: AtaDevice;
  /** How the registers name sectors in this command; for the address of a failure. */
  form: AddressForm;
  readonly #defect: CommandDefect | undefined;
  #block = 0;
  #dma = false;

  constructor(device: AtaDevice, defect: CommandDefect | undefined) {
    this.device = device;
    this.form = device.taskFile.addressForm;
    this.#defect = defect;
  }

  /** Time that passes before the command has any effect. */
  get delayUs(): number {
    return this.device.options.timing.commandUs + (this.#hit()?.hangUs ?? 0);
  }

  /** PIO data-in: shows a block with an interrupt; `next` is called when the host has read it. Section 9.5. */
  offer(block: Block, next: () => void): void {
    this.#afterHang(() => this.#offer(block, next));
  }

  /** PIO data-out: asks for a block, with an interrupt from the second one on. Section 9.6. */
  request(block: Block, next: () => void): void {
    this.#afterHang(() => {
      if (!this.#strikes('out')) this.#open('out', block, this.#block > 0, next);
    });
  }

  /** Sectors that DMA may move before the place of the defect. */
  get soundSectors(): number {
    const left = (this.#defect?.atBlock ?? 0) - this.#block;
    return left > 0 ? left : Number.POSITIVE_INFINITY;
  }

  /** DMA: asks for a transfer of whole sectors, without an interrupt; `next` is called when they were moved. Section 9.7. */
  transfer(way: 'in' | 'out', bytes: Uint8Array, next: () => void): void {
    this.#dma = true;
    this.#afterHang(() => {
      if (this.#strikes(way)) return;
      const { device } = this;
      this.#block += bytes.length / SECTOR_BYTES;
      device.status.set(device.readyStatus | STATUS.drq);
      device.requestDma(way, bytes, () => {
        device.status.set(STATUS.bsy);
        next();
      });
    });
  }

  /** Leaves in the registers that all sectors up to this one were transferred, as old disks do; the draft leaves it open. */
  endAt(lba: number): void {
    const { taskFile, settings } = this.device;
    taskFile.set(REGISTER.sectorCount, 0);
    taskFile.putAddress(lba, this.form, settings.geometry);
  }

  /** The command has succeeded: says so with an interrupt. */
  complete(): void {
    this.#afterHang(() => {
      if (this.#strikes('none')) return;
      this.device.status.set(this.device.readyStatus);
      this.#interrupt();
    });
  }

  /** The command has succeeded with the last block that the host read: no interrupt follows it. */
  completeQuietly(): void {
    this.device.status.set(this.device.readyStatus);
  }

  /** The command has failed. */
  fail(failure: Failure): void {
    this.#post(failure);
    this.device.status.set(this.#endStatus(failure));
    this.#interrupt();
  }

  /** The command is not implemented, or not with these parameters. */
  abort(): void {
    this.fail({ error: ERROR.abrt });
  }

  #offer(block: Block, next: () => void): void {
    if (this.#strikes('in')) return;
    const { failure } = block;
    if (failure === undefined) {
      this.#open('in', block, true, next);
      return;
    }
    this.#post(failure);
    this.#open('in', block, true, () => this.device.status.set(this.#endStatus(failure)), STATUS.err);
  }

  #endStatus(failure: Failure): number {
    return this.device.readyStatus | (failure.deviceFault === true ? STATUS.df : STATUS.err);
  }

  /** The defect may hold the command up in front of any block; in front of the first one it was held up already. */
  #afterHang(goOn: () => void): void {
    const hangUs = this.#block === 0 ? 0 : (this.#hit()?.hangUs ?? 0);
    if (hangUs === 0) goOn();
    else this.device.schedule(hangUs, goOn);
  }

  #post(failure: Failure): void {
    const { taskFile, settings } = this.device;
    taskFile.error = failure.error;
    if (failure.lba !== undefined) taskFile.putAddress(failure.lba, this.form, settings.geometry);
  }

  /** BSY gives way to DRQ; with the defect, DRQ comes later than the interrupt, or never. */
  #open(way: 'in' | 'out', block: Block, withInterrupt: boolean, next: () => void, error = 0): void {
    const { device } = this;
    const lateUs = this.#hit()?.lateDrqUs ?? 0;
    const done = () => {
      device.status.setBusyAfterBlock();
      next();
    };
    const show = () => {
      device.port.open(way, block.bytes, block.start, block.lengthBytes, done);
      device.status.set(device.readyStatus | STATUS.drq | error);
    };
    if (lateUs === 0) show();
    else device.status.set(device.readyStatus);
    if (withInterrupt) this.#interrupt();
    if (lateUs > 0) device.schedule(lateUs, show);
    this.#block++;
  }

  #interrupt(): void {
    const lost = this.#dma ? this.#defect?.loseInterrupt : this.#hit()?.loseInterrupt;
    if (lost !== true) this.device.interrupt();
  }

  /** The defect, if it concerns the block that is next. */
  #hit(): CommandDefect | undefined {
    return this.#defect !== undefined && this.#defect.atBlock === this.#block ? this.#defect : undefined;
  }

  /** Ends the command by an injected error, if this is its place. */
  #strikes(direction: Direction): boolean {
    const injected = this.#hit()?.fail;
    if (injected === undefined) return false;
    this.fail(injected);
    if (injected.drq !== 'none') this.#leaveDrq(injected, direction);
    return true;
  }

  /** DRQ beside the error: a block that may be transferred, or words that must be read before DRQ goes away. */
  #leaveDrq({ drq, stuckWords }: InjectedFailure, direction: Direction): void {
    const { port, status } = this.device;
    const before = status.value;
    const lengthBytes = drq === 'block' ? 512 : stuckWords * 2;
    const way = drq === 'block' && direction === 'out' ? 'out' : 'in';
    port.open(way, new Uint8Array(lengthBytes).fill(0x5a), 0, lengthBytes, () => status.set(before));
    status.set(before | STATUS.drq);
  }
}
