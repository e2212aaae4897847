import { duration } from '@ring3/core';
import { type BusMaster, describeBusMaster } from './bus-master.ts';
import type { Command } from './commands.ts';
import type { Direction, DmaMemory } from './dma-memory.ts';
import { Execution, MEANING, type Stage } from './execution.ts';
import { describeRegisters, type FailureKind } from './failure.ts';
import { ALL_ONES, BUS_MASTER_STATUS, ERROR, STATUS } from './registers.ts';
import { isOccupied } from './task-file.ts';

/** What moves the data of a channel. */
export interface DmaEngine {
  readonly busMaster: BusMaster;
  readonly memory: DmaMemory;
}

const { ACTIVE, INTERRUPT } = BUS_MASTER_STATUS;
const READ_AGAIN = 3;
/** A device may be done this long before the bus master has emptied its buffer into memory. */
const SETTLE_US = 10_000;
/** How often somebody looks whether the bus master is still well. */
const LOOK_US = 100_000;

/**
 * A command whose data a bus master moves (ATA/ATAPI-6 9.7, SFF-8038i). Success needs both: a device that is ready without an
 * error, and a bus master that has come to the end of its table.
 */
export class DmaExecution extends Execution {
  readonly #engine: DmaEngine;
  readonly #direction: Direction;
  /** The device was seen to have taken the command: before the bus master starts, it cannot be through with it. */
  #taken = false;
  #stopped = true;
  #lookedAtUs = this.lastProgressUs;
  #readySinceUs: number | undefined;
  /** As it was read last. */
  #host = 0;

  constructor(stage: Stage, command: Command, data: Uint8Array, engine: DmaEngine) {
    super(stage, command, data);
    this.#engine = engine;
    this.#direction = command.protocol === 'dma-in' ? 'to-memory' : 'from-memory';
  }

  start(): void {
    const { busMaster, memory } = this.#engine;
    memory.prepare(this.#direction, this.data);
    busMaster.load(memory.tableAddress, this.#direction);
    let status = this.taskFile.start(this.command.opcode);
    // The first look was earlier than 400 ns after the command.
    if (!isOccupied(status)) status = this.taskFile.peek();
    this.#taken = isOccupied(status) && status !== ALL_ONES;
    this.#stopped = false;
    busMaster.start();
  }

  advance(): boolean {
    if (this.over) return false;
    // The transfer goes on: the interrupt is another's, and the device is not touched.
    if ((this.#look() & (ACTIVE | INTERRUPT)) === ACTIVE && !this.#hostFailed) return false;
    return this.#ask();
  }

  advanceByPolling(): boolean {
    if (this.over) return false;
    this.#look();
    return this.#ask();
  }

  advanceWithoutInterrupt(): boolean {
    return this.advanceByPolling();
  }

  override isOccupied(status: number): boolean {
    return (status & STATUS.BSY) !== 0 || ((status & STATUS.DRQ) !== 0 && !hasFailed(status));
  }

  /** A bus master that could not reach memory raises no interrupt: device and host would wait for each other. */
  override lookWhileOccupied(): void {
    const nowUs = this.clock.nowUs();
    if (this.over || nowUs - this.#lookedAtUs < LOOK_US) return;
    this.#lookedAtUs = nowUs;
    this.#look();
    if (this.#hostFailed) this.#hostError(this.taskFile.peek());
  }

  protected override describe(status: number, error?: number): string {
    return `${describeRegisters(status, error)}, ${describeBusMaster(this.#host)}`;
  }

  /** A checksum that was wrong says something of the way, not of the disk. */
  protected override kindOf(status: number, error: number): FailureKind {
    const kind = super.kindOf(status, error);
    return kind === 'error' && (error & ERROR.ICRC) !== 0 ? 'bus' : kind;
  }

  /** Whatever happened, nothing moves data any more when the command is over. */
  protected override broken(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#engine.busMaster.halt();
  }

  #look(): number {
    this.#host = this.#engine.busMaster.status();
    return this.#host;
  }

  get #hostFailed(): boolean {
    return this.#host !== ALL_ONES && (this.#host & BUS_MASTER_STATUS.ERROR) !== 0;
  }

  /** Is the device through? AltStatus first: reading Status of a device that is busy would take its interrupt back. */
  #ask(): boolean {
    const peeked = this.taskFile.peek();
    if (this.isOccupied(peeked)) {
      this.#readySinceUs = undefined;
      if (this.#hostFailed) this.#hostError(peeked);
      return this.over;
    }
    if (!hasFailed(peeked) && this.#hostIsBehind()) return false;
    this.#end(peeked);
    return true;
  }

  /** The device is ready, the bus master still active: it is emptying its buffer, or has counted other bytes. */
  #hostIsBehind(): boolean {
    if (this.#hostFailed || (this.#host & ACTIVE) === 0) return false;
    if ((this.#look() & (ACTIVE | INTERRUPT)) !== ACTIVE) return false;
    const nowUs = this.clock.nowUs();
    this.#readySinceUs ??= nowUs;
    return nowUs - this.#readySinceUs < SETTLE_US;
  }

  #end(peeked: number): void {
    this.lastProgressUs = this.clock.nowUs();
    this.#stopped = true;
    this.#engine.busMaster.stop();
    const status = this.#acknowledge(peeked);
    this.#engine.busMaster.clear();
    if (status === undefined) this.fail('protocol', 'Status and AltStatus do not agree', peeked, { stuck: true });
    else if (hasFailed(status)) this.deviceFailed(status);
    else if (this.#hostFailed) this.#hostError(status);
    else if ((this.#host & ACTIVE) !== 0)
      this.fail('protocol', 'the device is done, the bus master waits for more data', status, { stuck: true });
    else if (!this.#taken) this.fail('protocol', 'the device was not seen to take the command', status);
    else this.conclude(status);
  }

  protected override conclude(status: number): void {
    if (this.#direction === 'to-memory' && isReady(status)) this.#engine.memory.take(this.data);
    super.conclude(status);
  }

  /** Reads Status once, which takes the interrupt back; again where it says something else than AltStatus. */
  #acknowledge(peeked: number): number | undefined {
    if (!this.taskFile.hasControl) return peeked;
    let before = peeked;
    for (let attempt = 0; attempt < READ_AGAIN; attempt++) {
      const status = this.taskFile.status();
      if (((before ^ status) & MEANING) === 0) return status;
      before = this.taskFile.peek();
    }
    return undefined;
  }

  #hostError(status: number): void {
    const waitedUs = this.clock.nowUs() - this.lastProgressUs;
    this.fail('bus', `the bus master could not reach memory, after ${duration(waitedUs)}`, status, { stuck: true });
  }
}

function hasFailed(status: number): boolean {
  return (status & (STATUS.ERR | STATUS.DF)) !== 0;
}

function isReady(status: number): boolean {
  return (status & (STATUS.DRQ | STATUS.DRDY)) === STATUS.DRDY;
}
