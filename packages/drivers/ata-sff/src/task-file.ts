import { type BoundRegisters, bindRegisters, type Clock, type RegisterOp, type RegisterSpace } from '@ring3/core';
import { addressOf, type Command, type TaskFileImage, taskFileImage } from './commands.ts';
import { compare, type ReadBack, type Verification } from './read-back.ts';
import { ALL_ONES, COMMAND_BLOCK, type controlLayout, DEVICE, DEVICE_CONTROL, ECHO, STATUS } from './registers.ts';
import { type BusSettings, placeControl } from './task-file-bus.ts';

/** Device 0 or device 1 of a channel. */
export type Position = 0 | 1;

/** What a device leaves in the registers: after a reset its signature, after a failed command where it failed. */
export interface Result {
  readonly error: number;
  readonly count: number;
  readonly lbaLow: number;
  readonly lbaMid: number;
  readonly lbaHigh: number;
  /** `undefined` for a 48-bit command where the previous registers cannot be read. */
  readonly lba: number | undefined;
}

/** The spaces of a channel. */
export interface TaskFileSpaces {
  readonly command: RegisterSpace;
  readonly control: RegisterSpace | undefined;
}

/** A device needs this long after a register write before its status can be trusted (ATA/ATAPI-6 7.15.6.1). */
const SETTLE_NS = 400;

/**
 * The registers of one channel, as acts: select, load, start, look. Knows what is lost without a control block: no
 * AltStatus (looking is acknowledging), no nIEN, no SRST, no HOB.
 */
export class TaskFile {
  readonly #space: RegisterSpace;
  readonly #command: BoundRegisters<typeof COMMAND_BLOCK>;
  readonly #control: BoundRegisters<ReturnType<typeof controlLayout>> | undefined;
  readonly #clock: Clock;
  /** Of an access to the Data register. */
  readonly dataWidth: BusSettings['dataWidth'];
  /** nIEN as it was set last, to set it again after a reset (libata's `last_ctl`). */
  #nIEN: number = DEVICE_CONTROL.nIEN;
  #selected: Position | undefined;

  constructor({ command, control }: TaskFileSpaces, clock: Clock, bus: BusSettings) {
    this.#space = command;
    this.#clock = clock;
    this.dataWidth = bus.dataWidth;
    this.#command = bindRegisters(command, COMMAND_BLOCK, bus.registerStride);
    const place = placeControl(control?.sizeBytes, bus);
    if (place !== undefined) this.#control = bindRegisters(control ?? command, place.layout);
  }

  get hasControl(): boolean {
    return this.#control !== undefined;
  }

  /** The device that answers; `undefined` after a reset. */
  get selected(): Position | undefined {
    return this.#selected;
  }

  /** The status without acknowledging an interrupt, where there is AltStatus. */
  peek(): number {
    return this.#control === undefined ? this.#command.status.read() : this.#control.alternateStatus.read();
  }

  /** The status; acknowledges the interrupt. */
  status(): number {
    return this.#command.status.read();
  }

  /** Lets 400 ns pass after a write: AltStatus is read to flush it and thrown away. @returns what was read. */
  settle(): number {
    const seen = this.#control === undefined ? 0 : this.#control.alternateStatus.read();
    this.#clock.spinNs(SETTLE_NS);
    return seen;
  }

  /** nIEN, flushed. Does nothing without a control block. */
  setInterrupts(enabled: boolean): void {
    this.#nIEN = enabled ? 0 : DEVICE_CONTROL.nIEN;
    this.#setControl(this.#nIEN);
  }

  /** SRST, flushed; nIEN stays. Both devices of the channel obey, and device 0 is selected afterwards. */
  setReset(asserted: boolean): void {
    this.#setControl(this.#nIEN | (asserted ? DEVICE_CONTROL.SRST : 0));
    this.#selected = undefined;
  }

  /** Makes a device the one that answers, and lets 400 ns pass. */
  select(position: Position): void {
    this.#command.device.write(deviceByte(position, 0));
    this.settle();
    this.#selected = position;
  }

  /** Makes the next command select its device again. */
  forgetSelection(): void {
    this.#selected = undefined;
  }

  /**
   * Writes everything of a command but the command itself, and reads back what `verification` asks for. An occupied
   * device has taken nothing, which shows in what is read back; where nothing is, the status tells.
   */
  load(command: Command, position: Position, verification: Verification): ReadBack {
    const image = taskFileImage(command);
    const device = deviceByte(position, image.lbaTop) | (command.addressing === 'none' ? 0 : DEVICE.LBA);
    const registers = this.#command;
    const ops: RegisterOp[] = [];
    if (image.previous !== undefined) this.#pushAddress(ops, image.previous);
    ops.push(registers.features.writeOp(image.features));
    this.#pushAddress(ops, image);
    ops.push(registers.device.writeOp(device));
    if (verification === 'none') {
      this.#space.sequence(ops);
      return isOccupied(this.peek()) ? 'different' : 'same';
    }
    const values = this.#space.sequence([...ops, ...this.#addressReads, registers.device.readOp]);
    const both = verification === 'both' && image.previous !== undefined;
    return compare({ image, device }, values, () => (both ? this.#readPrevious() : undefined));
  }

  /** Starts the loaded command. @returns AltStatus as it was read at once, before 400 ns: only BSY=1 means something. */
  start(opcode: number): number {
    this.#command.command.write(opcode);
    return this.settle();
  }

  /** The registers after a reset or a failure; the address as the command gave it. */
  readResult(addressing: Command['addressing']): Result {
    const { error, device } = this.#command;
    const [errorBits = 0, ...values] = this.#space.sequence([error.readOp, ...this.#addressReads, device.readOp]);
    const [count = 0, lbaLow = 0, lbaMid = 0, lbaHigh = 0, deviceBits = 0] = values;
    const current = { lbaLow, lbaMid, lbaHigh, lbaTop: addressing === 'lba28' ? deviceBits & DEVICE.LBA27_24 : 0 };
    const result = { error: errorBits, count, lbaLow, lbaMid, lbaHigh };
    if (addressing !== 'lba48') return { ...result, lba: addressOf(current) };
    const previous = this.#readPrevious();
    if (previous === undefined) return { ...result, lba: undefined };
    const [, low = 0, mid = 0, high = 0] = previous;
    return {
      ...result,
      lba: addressOf({ ...current, previous: { count: 0, lbaLow: low, lbaMid: mid, lbaHigh: high } }),
    };
  }

  /**
   * Fills `into` from the Data register, bytes in the order of the bus (memory order on any host), and lets the device take
   * notice. By 16 bits, if the configuration says nothing else.
   */
  readData(into: Uint8Array): void {
    const { offset } = COMMAND_BLOCK.data;
    if (this.dataWidth === 16) this.#space.readFifo16(offset, into);
    else if (this.dataWidth === 32) this.#space.readFifo32(offset, into);
    else this.#space.readFifo8(offset, into);
    this.#clock.spinNs(SETTLE_NS);
  }

  /** The counterpart of {@link readData}; posted writes are flushed. */
  writeData(from: Uint8Array): void {
    const { offset } = COMMAND_BLOCK.data;
    if (this.dataWidth === 16) this.#space.writeFifo16(offset, from);
    else if (this.dataWidth === 32) this.#space.writeFifo32(offset, from);
    else this.#space.writeFifo8(offset, from);
    this.settle();
  }

  /** Whether the selected device keeps what is written to it (ATA/ATAPI-6 9.16.1); both registers end as 55h, AAh. */
  echoes(): boolean {
    const { sectorCount, lbaLow } = this.#command;
    const write = (count: number, low: number) => [sectorCount.writeOp(count), lbaLow.writeOp(low)];
    const [count, low] = this.#space.sequence([
      ...write(ECHO.FIRST, ECHO.SECOND),
      ...write(ECHO.SECOND, ECHO.FIRST),
      ...write(ECHO.FIRST, ECHO.SECOND),
      sectorCount.readOp,
      lbaLow.readOp,
    ]);
    return count === ECHO.FIRST && low === ECHO.SECOND;
  }

  /** Whether nothing drives the bus: the other registers read all ones, too. Asked only when the status does. */
  allOnes(): boolean {
    const { device } = this.#command;
    return this.#space.sequence([device.readOp, ...this.#addressReads]).every((value) => value === ALL_ONES);
  }

  get #addressReads(): RegisterOp[] {
    const { sectorCount, lbaLow, lbaMid, lbaHigh } = this.#command;
    return [sectorCount.readOp, lbaLow.readOp, lbaMid.readOp, lbaHigh.readOp];
  }

  #pushAddress(ops: RegisterOp[], image: NonNullable<TaskFileImage['previous']>): void {
    const { sectorCount, lbaLow, lbaMid, lbaHigh } = this.#command;
    ops.push(sectorCount.writeOp(image.count), lbaLow.writeOp(image.lbaLow));
    ops.push(lbaMid.writeOp(image.lbaMid), lbaHigh.writeOp(image.lbaHigh));
  }

  /** What the two-deep registers took first: count, LBA low, mid, high, through HOB (ATA/ATAPI-6 7.8.6). */
  #readPrevious(): number[] | undefined {
    if (this.#control === undefined) return undefined;
    // No flush is needed: the reads that follow push the writes before them, on whatever bus.
    this.#control.deviceControl.write(this.#nIEN | DEVICE_CONTROL.HOB);
    const values = this.#space.sequence(this.#addressReads);
    this.#control.deviceControl.write(this.#nIEN);
    return values;
  }

  #setControl(value: number): void {
    if (this.#control === undefined) return;
    this.#control.deviceControl.write(value);
    this.#control.alternateStatus.read();
  }
}

function deviceByte(position: Position, lbaTop: number): number {
  return DEVICE.OBSOLETE7 | DEVICE.OBSOLETE5 | (position === 1 ? DEVICE.DEV : 0) | lbaTop;
}

/** Neither the registers nor the command of such a device may be touched. */
export function isOccupied(status: number): boolean {
  return (status & (STATUS.BSY | STATUS.DRQ)) !== 0;
}
