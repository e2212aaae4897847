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

/** Where a running command stands (ATA/ATAPI-6 9.4 to 9.6). */
type Phase = 'first' | 'data' | 'ending' | 'over';

/** The bits of a status that decide; the others may flicker. */
const MEANING = STATUS.BSY | STATUS.DRDY | STATUS.DF | STATUS.DRQ | STATUS.ERR;
const READ_AGAIN = 3;

/**
 * One command on the device, from its start to its end: the host state machine of programmed I/O. It never waits;
 * interrupt, poll and watchdog all call {@link advance}, and whoever comes first moves it on.
 */
export class Execution {
  readonly command: Command;
  /** Resolves when the command is over; one promise per command, not one per sector. */
  readonly finished: Promise<Outcome>;
  /** When the device last did something. */
  lastProgressUs: number;
  #begun = false;
  /** A block has moved and DRQ stayed: the device is very fast, or it has counted fewer words than were moved. */
  #drqStayed = false;
  #phase: Phase;
  #done = 0;
  readonly #taskFile: TaskFile;
  readonly #clock: Clock;
  readonly #data: Uint8Array;
  #resolve: (outcome: Outcome) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(taskFile: TaskFile, clock: Clock, command: Command, data: Uint8Array) {
    this.command = command;
    this.#taskFile = taskFile;
    this.#clock = clock;
    this.#data = data;
    this.#phase = command.protocol === 'pio-out' ? 'first' : command.protocol === 'pio-in' ? 'data' : 'ending';
    this.lastProgressUs = clock.nowUs();
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get over(): boolean {
    return this.#phase === 'over';
  }

  /** The first block of data to the device is asked for without an interrupt. */
  get awaitsFirstBlock(): boolean {
    return this.#phase === 'first';
  }

  /** All data came, but the device is still busy: no interrupt will tell when it is not. */
  get endsWithoutInterrupt(): boolean {
    return this.#phase === 'ending' && this.command.protocol === 'pio-in';
  }

  /** Writes the command register. */
  start(): void {
    this.#noteBusy(this.#taskFile.start(this.command.opcode));
  }

  /** As {@link advance}, when DRQ is all that is awaited: a single look, and nothing to acknowledge. */
  #askForFirstBlock(): boolean {
    const status = this.#taskFile.peek();
    if ((status & MEANING) !== (STATUS.DRDY | STATUS.DRQ)) return false;
    this.#moveBlock();
    return true;
  }

  /**
   * Looks at the device; when it is not busy, reads Status once (which acknowledges) and takes the next step, moving a
   * whole DRQ block when one is due.
   * @returns whether the device had something to say.
   */
  advance(): boolean {
    if (this.#phase === 'over') return false;
    if (this.#phase === 'first' && this.#askForFirstBlock()) return true;
    const status = this.#readStatus();
    if (status === undefined) return false;
    this.lastProgressUs = this.#clock.nowUs();
    if ((status & (STATUS.ERR | STATUS.DF)) !== 0) this.#deviceFailed(status);
    else if (this.#phase === 'ending') this.#conclude(status);
    else if ((status & STATUS.DRQ) === 0) this.fail('protocol', 'DRQ=0 and no error where data was expected', status);
    else this.#moveBlock();
    return true;
  }

  /**
   * As {@link advance}, when the interrupt is overdue. More data moves only with a device that was seen to be done with
   * the block before: if a word was lost, every later one would go to the wrong place.
   */
  advanceWithoutInterrupt(): boolean {
    if (this.#phase !== 'data' || !this.#drqStayed) return this.advance();
    const status = this.#taskFile.peek();
    if (hasDataPhase(status)) this.fail('protocol', 'DRQ=1 after a block, and no interrupt for the next', status);
    return true;
  }

  /** Ends the command without the device. */
  fail(kind: FailureKind, what: string, status: number, details: Partial<Failure> = {}): void {
    const address = details.lba === undefined ? '' : `, address ${details.lba}`;
    const words = `${describeCommand(this.command)}: ${what}: ${describeRegisters(status, details.error)}${address}`;
    const stuck = isOccupied(status);
    this.#finish(failure(kind, words, status, { bytesDone: this.#done, stuck, ...details }));
  }

  /** Ends the command because the device was silent for too long. */
  timedOut(status: number): void {
    const silentUs = this.#clock.nowUs() - this.lastProgressUs;
    this.fail('timeout', `no end within ${duration(silentUs)}`, status, { stuck: true });
  }

  /** Ends the command because an access threw: a space that was closed under it, or a bug, which is passed on. */
  abandon(error: unknown): void {
    if (this.over) return;
    if (!isDeviceError(error)) {
      this.#phase = 'over';
      this.#reject(error);
      return;
    }
    const kind: FailureKind = error.code === 'timeout' ? 'timeout' : 'gone';
    const lastValue = error.details['lastValue'];
    const status = typeof lastValue === 'number' ? lastValue : STATUS.BSY;
    const words = `${error.message} (${describeRegisters(status)})`;
    this.#finish(failure(kind, words, status, { bytesDone: this.#done, stuck: true }));
  }

  /** BSY=0 in AltStatus and Status, and both saying the same; `undefined` while busy. */
  #readStatus(): number | undefined {
    for (let attempt = 0; attempt < READ_AGAIN; attempt++) {
      const peeked = this.#taskFile.peek();
      if ((peeked & STATUS.BSY) !== 0) {
        this.#noteBusy(peeked);
        return undefined;
      }
      if (!this.#taskFile.hasControl) return peeked;
      const status = this.#taskFile.status();
      if (((peeked ^ status) & MEANING) === 0) return status;
    }
    return undefined;
  }

  /** A busy device has taken the command. All ones may also be a read that was lost on the bus. */
  #noteBusy(status: number): void {
    if ((status & STATUS.BSY) !== 0 && status !== ALL_ONES) this.#begun = true;
  }

  #moveBlock(): void {
    const block = this.#data.subarray(this.#done, this.#done + this.command.drqBlockBytes);
    const reads = this.command.protocol === 'pio-in';
    if (reads) this.#taskFile.readData(block);
    else this.#taskFile.writeData(block);
    this.#done += block.length;
    this.lastProgressUs = this.#clock.nowUs(); // Moving a block over a slow bus takes time of its own.
    this.#phase = this.#done < this.#data.length ? 'data' : 'ending';
    if (reads && this.#phase === 'ending') this.#concludeRead();
    // Without AltStatus, looking would acknowledge the interrupt of the next block.
    if (this.#phase === 'data') this.#drqStayed = this.#taskFile.hasControl && hasDataPhase(this.#taskFile.peek());
  }

  /** No interrupt follows the last block of a read; a device that is still busy is looked at again later. */
  #concludeRead(): void {
    const status = this.#readStatus();
    if (status !== undefined) this.#conclude(status);
  }

  /** Success is DRDY and nothing else: a device that still wants or offers data has counted other words than we did. */
  #conclude(status: number): void {
    if ((status & (STATUS.ERR | STATUS.DF)) !== 0) this.#deviceFailed(status);
    else if ((status & STATUS.DRQ) !== 0) this.fail('protocol', 'DRQ=1 after the last block', status);
    else if ((status & STATUS.DRDY) === 0) this.fail('protocol', 'DRDY=0 at the end', status);
    else this.#finish(undefined);
  }

  /**
   * ERR or DF. A read may offer a block of junk with it, which is taken off the device; a device that offers more, or
   * wants data with an error, needs a reset.
   */
  #deviceFailed(status: number): void {
    let after = status;
    if ((status & STATUS.DRQ) !== 0 && this.command.protocol === 'pio-in') {
      this.#taskFile.readData(new Uint8Array(this.command.drqBlockBytes));
      after = this.#taskFile.peek();
    }
    const { error, lba, lbaMid, lbaHigh } = this.#taskFile.readResult(this.command.addressing);
    this.fail((status & STATUS.DF) === 0 ? 'error' : 'fault', 'the device reports', status, {
      error,
      lba: this.command.addressing === 'none' ? undefined : lba,
      signature: { lbaMid, lbaHigh },
      stuck: isOccupied(after),
    });
  }

  #finish(failed: Failure | undefined): void {
    this.#phase = 'over';
    this.#resolve({ failure: failed, begun: this.#begun || this.command.protocol !== 'non-data' });
  }
}

/** BSY=0, DRQ=1: the device waits for the host to move data. */
function hasDataPhase(status: number): boolean {
  return (status & (STATUS.BSY | STATUS.DRQ)) === STATUS.DRQ;
}
