import type { Command } from './commands.ts';
import { Execution, hasDataPhase, MEANING, type Stage } from './execution.ts';
import { STATUS } from './registers.ts';

/** Where a running command stands (ATA/ATAPI-6 9.4 to 9.6). */
type Phase = 'first' | 'data' | 'ending';

const READ_AGAIN = 3;

/** A command without data, or with data by programmed I/O: whole DRQ blocks move inside {@link advance}. */
export class PioExecution extends Execution {
  /** A block has moved and DRQ stayed: the device is very fast, or it has counted fewer words than were moved. */
  #drqStayed = false;
  #phase: Phase;

  constructor(stage: Stage, command: Command, data: Uint8Array) {
    super(stage, command, data);
    this.#phase = command.protocol === 'pio-out' ? 'first' : command.protocol === 'pio-in' ? 'data' : 'ending';
  }

  override get awaitsFirstBlock(): boolean {
    return !this.over && this.#phase === 'first';
  }

  override get endsWithoutInterrupt(): boolean {
    return !this.over && this.#phase === 'ending' && this.command.protocol === 'pio-in';
  }

  start(): void {
    this.noteBusy(this.taskFile.start(this.command.opcode));
  }

  /** When the device is not busy, reads Status once, which acknowledges, and takes the next step. */
  advance(): boolean {
    if (this.over) return false;
    if (this.#phase === 'first' && this.#askForFirstBlock()) return true;
    const status = this.#readStatus();
    if (status === undefined) return false;
    this.lastProgressUs = this.clock.nowUs();
    if ((status & (STATUS.ERR | STATUS.DF)) !== 0) this.#failed(status);
    else if (this.#phase === 'ending') this.conclude(status);
    else if ((status & STATUS.DRQ) === 0) this.fail('protocol', 'DRQ=0 and no error where data was expected', status);
    else this.#moveBlock();
    return true;
  }

  advanceByPolling(): boolean {
    return this.advance();
  }

  /**
   * More data moves only with a device that was seen to be done with the block before: if a word was lost, every later one
   * would go to the wrong place.
   */
  advanceWithoutInterrupt(): boolean {
    if (this.#phase !== 'data' || !this.#drqStayed) return this.advance();
    const status = this.taskFile.peek();
    if (hasDataPhase(status)) this.fail('protocol', 'DRQ=1 after a block, and no interrupt for the next', status);
    return true;
  }

  /** As {@link advance}, when DRQ is all that is awaited: a single look, and nothing to acknowledge. */
  #askForFirstBlock(): boolean {
    const status = this.taskFile.peek();
    if ((status & MEANING) !== (STATUS.DRDY | STATUS.DRQ)) return false;
    this.#moveBlock();
    return true;
  }

  /** BSY=0 in AltStatus and Status, and both saying the same; `undefined` while busy. */
  #readStatus(): number | undefined {
    for (let attempt = 0; attempt < READ_AGAIN; attempt++) {
      const peeked = this.taskFile.peek();
      if ((peeked & STATUS.BSY) !== 0) {
        this.noteBusy(peeked);
        return undefined;
      }
      if (!this.taskFile.hasControl) return peeked;
      const status = this.taskFile.status();
      if (((peeked ^ status) & MEANING) === 0) return status;
    }
    return undefined;
  }

  #moveBlock(): void {
    const block = this.data.subarray(this.bytesDone, this.bytesDone + this.command.drqBlockBytes);
    const reads = this.command.protocol === 'pio-in';
    if (reads) this.taskFile.readData(block);
    else this.taskFile.writeData(block);
    this.bytesDone += block.length;
    this.lastProgressUs = this.clock.nowUs(); // Moving a block over a slow bus takes time of its own.
    this.#phase = this.bytesDone < this.data.length ? 'data' : 'ending';
    if (reads && this.#phase === 'ending') this.#concludeRead();
    // Without AltStatus, looking would acknowledge the interrupt of the next block.
    if (this.#phase === 'data') this.#drqStayed = this.taskFile.hasControl && hasDataPhase(this.taskFile.peek());
  }

  /** No interrupt follows the last block of a read; a device that is still busy is looked at again later. */
  #concludeRead(): void {
    const status = this.#readStatus();
    if (status === undefined) return;
    if ((status & (STATUS.ERR | STATUS.DF)) !== 0) this.#failed(status);
    else this.conclude(status);
  }

  /**
   * ERR or DF. A read may offer a block of junk with it, which is taken off the device; a device that offers more, or
   * wants data with an error, needs a reset.
   */
  #failed(status: number): void {
    let after = status;
    if ((status & STATUS.DRQ) !== 0 && this.command.protocol === 'pio-in') {
      this.taskFile.readData(new Uint8Array(this.command.drqBlockBytes));
      after = this.taskFile.peek();
    }
    this.deviceFailed(status, after);
  }
}
