import { type BoundRegisters, bindRegisters, type RegisterSpace } from '@ring3/core';
import type { UartOptions } from './options.ts';
import { ALL_ONES, FCR, IIR, LCR, LSR, TRIGGER_LEVELS, uartRegisters } from './registers.ts';

const CHARACTER_ERRORS = LSR.PE | LSR.FE | LSR.BI;

/**
 * The registers as acts. Remembers what a read of the line status clears, so that looking at it loses nothing, and what
 * was written, so that nothing is written twice.
 */
export class Uart {
  readonly #space: RegisterSpace;
  readonly #registers: BoundRegisters<ReturnType<typeof uartRegisters>>;
  readonly #bytewise: boolean;
  #interrupts = 0;
  #modem = 0;
  #line = 0;
  /** Errors of the next character that a read of the line status has shown already. */
  #shown = 0;

  constructor(space: RegisterSpace, { registerStride, registerWidth }: UartOptions) {
    this.#space = space;
    this.#registers = bindRegisters(space, uartRegisters(registerWidth), registerStride);
    this.#bytewise = registerWidth === 8;
  }

  /** What interrupts, if anything does, and the line status: one round trip. Takes the transmitter's interrupt back, if it is that. */
  pending(): { readonly cause: number | undefined; readonly lineStatus: number } {
    const { interruptIdentification, lineStatus } = this.#registers;
    const [value = IIR.NONE_PENDING, status = 0] = this.#space.sequence([
      interruptIdentification.readOp,
      lineStatus.readOp,
    ]);
    const cause = (value & IIR.NONE_PENDING) === 0 ? value & IIR.ID : undefined;
    return { cause, lineStatus: this.#seen(status) };
  }

  /** The line status with the errors of the next character, however often it is asked; an overrun shows once. */
  lineStatus(): number {
    return this.#seen(this.#registers.lineStatus.read());
  }

  /** The next character. */
  take(): number {
    this.#shown = 0;
    return this.#registers.receiverBuffer.read() & ALL_ONES;
  }

  /** The next character and the line status behind it: one round trip. */
  takeAndLook(): readonly [character: number, lineStatus: number] {
    const { receiverBuffer, lineStatus } = this.#registers;
    const [character = 0, status = 0] = this.#space.sequence([receiverBuffer.readOp, lineStatus.readOp]);
    this.#shown = 0;
    return [character & ALL_ONES, this.#seen(status)];
  }

  /** Characters that are known to be there, without errors. */
  takeBlock(into: Uint8Array): void {
    this.#shown = 0;
    if (this.#bytewise) this.#space.readFifo8(this.#registers.receiverBuffer.readOp.offset, into);
    else for (let at = 0; at < into.length; at++) into[at] = this.#registers.receiverBuffer.read();
  }

  /** Gives characters to the transmitter, which must have room. */
  put(from: Uint8Array): void {
    const { transmitterHolding } = this.#registers;
    if (this.#bytewise) this.#space.writeFifo8(transmitterHolding.writeOp(0).offset, from);
    else for (const byte of from) transmitterHolding.write(byte);
  }

  /** The modem status; clears the changes. */
  modemStatus(): number {
    return this.#registers.modemStatus.read() & ALL_ONES;
  }

  setInterrupts(enabled: number): void {
    if (enabled === this.#interrupts) return;
    this.#interrupts = enabled;
    this.#registers.interruptEnable.write(enabled);
  }

  setModem(control: number): void {
    if (control === this.#modem) return;
    this.#modem = control;
    this.#registers.modemControl.write(control);
  }

  /** Line Control, DLAB not set. */
  setLine(control: number): void {
    this.#line = control;
    this.#registers.lineControl.write(control);
  }

  /** The divisor of the baud generator, in one go: nobody may meet DLAB = 1. */
  setDivisor(divisor: number): void {
    const { divisorLow, divisorHigh, lineControl } = this.#registers;
    this.#space.sequence([
      lineControl.writeOp(this.#line | LCR.DLAB),
      divisorLow.writeOp(divisor & ALL_ONES),
      divisorHigh.writeOp(divisor >>> 8),
      lineControl.writeOp(this.#line),
    ]);
  }

  /** Switches the FIFOs on, empty, or off. @returns the bits of IIR that tell which chip it is. */
  setFifos(enabled: boolean, trigger: (typeof TRIGGER_LEVELS)[number]): number {
    const level = TRIGGER_LEVELS.indexOf(trigger) * (FCR.TRIGGER & -FCR.TRIGGER);
    const value = enabled ? FCR.ENABLE | FCR.CLEAR_RECEIVER | FCR.CLEAR_TRANSMITTER | level : 0;
    this.#registers.fifoControl.write(value);
    this.#shown = 0;
    return this.#registers.interruptIdentification.read() & IIR.FIFOS;
  }

  /** Drops what the transmitter has taken and not sent; the receiver goes on. */
  clearTransmitter(trigger: (typeof TRIGGER_LEVELS)[number]): void {
    const level = TRIGGER_LEVELS.indexOf(trigger) * (FCR.TRIGGER & -FCR.TRIGGER);
    this.#registers.fifoControl.write(FCR.ENABLE | FCR.CLEAR_TRANSMITTER | level);
  }

  /** Known values in the registers that a driver before may have left in any state: no interrupts, no outputs. */
  reset(): void {
    this.#interrupts = 0;
    this.#modem = 0;
    this.#shown = 0;
    this.setLine(0);
    this.#registers.interruptEnable.write(0);
    this.#registers.modemControl.write(0);
  }

  /** What the Interrupt Enable Register holds when this is written to it. */
  echoOfInterrupts(value: number): number {
    this.#registers.interruptEnable.write(value);
    const echo = this.#registers.interruptEnable.read();
    this.#registers.interruptEnable.write(this.#interrupts);
    return echo & ALL_ONES;
  }

  /** What the Scratchpad Register holds when this is written to it. */
  echoOfScratch(value: number): number {
    this.#registers.scratch.write(value);
    return this.#registers.scratch.read() & ALL_ONES;
  }

  /** Whether nothing drives the bus: the upper bits of two registers are zero in every chip. */
  allOnes(): boolean {
    const { interruptEnable, modemControl, lineStatus } = this.#registers;
    const reads = [interruptEnable.readOp, modemControl.readOp, lineStatus.readOp];
    return this.#space.sequence(reads).every((value) => (value & ALL_ONES) === ALL_ONES);
  }

  #seen(status: number): number {
    this.#shown |= status & CHARACTER_ERRORS;
    return (status & ALL_ONES) | this.#shown;
  }
}
