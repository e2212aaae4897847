import { type Clock, duration, isDeviceError } from '@ring3/core';
import type { Command } from './commands.ts';
import {
  describeCommand,
  describeRegisters,
  type Failure,
  type FailureKind,
  failure,
  type Outcome,
} from './failure.ts';
import { ALL_ONES, STATUS } from './registers.ts';
import { isOccupied, type TaskFile } from './task-file.ts';

/** The bits of a status that decide; the others may flicker. */
export const MEANING = STATUS.BSY | STATUS.DRDY | STATUS.DF | STATUS.DRQ | STATUS.ERR;

/** What an execution works with. */
export interface Stage {
  readonly taskFile: TaskFile;
  readonly clock: Clock;
}

/**
 * One command on the device, from its start to its end: a host state machine. It never waits; interrupt, poll and watchdog
 * all move it on, and whoever comes first does.
 */
export abstract class Execution {
  readonly command: Command;
  /** Resolves when the command is over; one promise per command, not one per sector. */
  readonly finished: Promise<Outcome>;
  /** When the device last did something. */
  lastProgressUs: number;
  protected readonly taskFile: TaskFile;
  protected readonly clock: Clock;
  protected readonly data: Uint8Array;
  /** How much of the data has moved. */
  protected bytesDone = 0;
  #over = false;
  #begun = false;
  #resolve: (outcome: Outcome) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor({ taskFile, clock }: Stage, command: Command, data: Uint8Array) {
    this.command = command;
    this.taskFile = taskFile;
    this.clock = clock;
    this.data = data;
    this.lastProgressUs = clock.nowUs();
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get over(): boolean {
    return this.#over;
  }

  /** The first block of data to the device is asked for without an interrupt. */
  get awaitsFirstBlock(): boolean {
    return false;
  }

  /** All data came, but the device is still busy: no interrupt will tell when it is not. */
  get endsWithoutInterrupt(): boolean {
    return false;
  }

  /** Writes the command register, and what else starts the command. */
  abstract start(): void;

  /**
   * An interrupt came: looks at the device, and takes the next step when it is not busy.
   * @returns whether the device had something to say.
   */
  abstract advance(): boolean;

  /** As {@link advance}, when nobody waits for an interrupt. */
  abstract advanceByPolling(): boolean;

  /** As {@link advance}, when the interrupt is overdue. */
  abstract advanceWithoutInterrupt(): boolean;

  /** Whether a status says that the device is still at it. */
  isOccupied(status: number): boolean {
    return (status & STATUS.BSY) !== 0;
  }

  /** The device is still at it: is there a reason to wait no longer? */
  lookWhileOccupied(): void {}

  /** Ends the command without the device. */
  fail(kind: FailureKind, what: string, status: number, details: Partial<Failure> = {}): void {
    const address = details.lba === undefined ? '' : `, address ${details.lba}`;
    const words = `${describeCommand(this.command)}: ${what}: ${this.describe(status, details.error)}${address}`;
    this.#failWith(kind, words, status, { stuck: isOccupied(status), ...details });
  }

  /** Ends the command because the device was silent for too long. */
  timedOut(status: number): void {
    const silentUs = this.clock.nowUs() - this.lastProgressUs;
    this.fail('timeout', `no end within ${duration(silentUs)}`, status, { stuck: true });
  }

  /** Ends the command because an access threw: a space that was closed under it, or a bug, which is passed on. */
  abandon(error: unknown): void {
    if (this.over) return;
    if (!isDeviceError(error)) {
      this.#over = true;
      this.broken();
      this.#reject(error);
      return;
    }
    const kind: FailureKind = error.code === 'timeout' ? 'timeout' : 'gone';
    const lastValue = error.details['lastValue'];
    const status = typeof lastValue === 'number' ? lastValue : STATUS.BSY;
    this.#failWith(kind, `${error.message} (${this.describe(status)})`, status, { stuck: true });
  }

  /** The registers, for the words of a failure. */
  protected describe(status: number, error?: number): string {
    return describeRegisters(status, error);
  }

  /** The command ends badly, before its promise settles: nothing that belongs to it may go on. */
  protected broken(): void {}

  /** A busy device has taken the command. All ones may also be a read that was lost on the bus. */
  protected noteBusy(status: number): void {
    if ((status & STATUS.BSY) !== 0 && status !== ALL_ONES) this.#begun = true;
  }

  /** Success is DRDY and nothing else: a device that still wants or offers data has counted other words than we did. */
  protected conclude(status: number): void {
    if ((status & (STATUS.ERR | STATUS.DF)) !== 0) this.deviceFailed(status);
    else if ((status & STATUS.DRQ) !== 0) this.fail('protocol', 'DRQ=1 after the last block', status);
    else if ((status & STATUS.DRDY) === 0) this.fail('protocol', 'DRDY=0 at the end', status);
    else this.finish(undefined);
  }

  /** ERR or DF: why, and where. `after`: the status once junk was taken off the device. */
  protected deviceFailed(status: number, after = status): void {
    const { error, lba, lbaMid, lbaHigh } = this.taskFile.readResult(this.command.addressing);
    this.fail(this.kindOf(status, error), 'the device reports', status, {
      error,
      lba: this.command.addressing === 'none' ? undefined : lba,
      signature: { lbaMid, lbaHigh },
      stuck: isOccupied(after),
    });
  }

  /** What a report of the device means. */
  protected kindOf(status: number, _error: number): FailureKind {
    return (status & STATUS.DF) === 0 ? 'error' : 'fault';
  }

  protected finish(failed: Failure | undefined): void {
    this.#over = true;
    this.#resolve({ failure: failed, begun: this.#begun || this.command.protocol !== 'non-data' });
  }

  #failWith(kind: FailureKind, words: string, status: number, details: Partial<Failure>): void {
    this.#over = true;
    this.broken();
    this.finish(failure(kind, words, status, { bytesDone: this.bytesDone, ...details }));
  }
}

/** BSY=0, DRQ=1: the device waits for the host to move data. */
export function hasDataPhase(status: number): boolean {
  return (status & (STATUS.BSY | STATUS.DRQ)) === STATUS.DRQ;
}
