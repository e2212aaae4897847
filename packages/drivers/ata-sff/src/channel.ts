import { type Clock, isDeviceError, type Lane, type Logger, type Verdict } from '@ring3/core';
import type { BusMaster } from './bus-master.ts';
import { type Command, isDma } from './commands.ts';
import { type DmaEngine, DmaExecution } from './dma-execution.ts';
import type { Execution } from './execution.ts';
import { describeCommand, type Outcome } from './failure.ts';
import { FairQueue } from './fair-queue.ts';
import { PioExecution } from './pio-execution.ts';
import { pollExecution } from './poll-execution.ts';
import { prepareCommand } from './prepare-command.ts';
import type { Verification } from './read-back.ts';
import { BUS_MASTER_STATUS, STATUS } from './registers.ts';
import { type Position, TaskFile, type TaskFileSpaces } from './task-file.ts';
import type { BusSettings } from './task-file-bus.ts';
import type { WaitContext } from './wait-ready.ts';
import { Watchdog } from './watchdog.ts';

/** What a channel counts. */
export interface ChannelStatistics {
  commands: number;
  /** Commands that moved on although their interrupt had not come. */
  lostInterrupts: number;
  /** Interrupts that found no command, or a busy device. */
  spuriousInterrupts: number;
  resets: number;
}

/** How a channel is driven. */
export interface ChannelSettings {
  readonly useInterrupts: boolean;
  /** How long a device may be ready without an interrupt before that counts as lost. */
  readonly lostInterruptUs: number;
  readonly verification: Verification;
  readonly bus: BusSettings;
}

/** The registers of a channel. */
interface ChannelSpaces extends TaskFileSpaces {
  readonly busMaster: BusMaster | undefined;
}

/** Lost interrupts in a row after which the line is taken for dead. */
const LOST_LIMIT = 3;
const NO_DATA = new Uint8Array(0);

/** One SFF channel: up to two devices, one command at a time, by interrupt or by polling. */
export class Channel implements WaitContext {
  readonly name: string;
  readonly taskFile: TaskFile;
  readonly clock: Clock;
  readonly log: Logger;
  readonly queue = new FairQueue();
  /** Missing where the controller has none, or the driver was given none. */
  readonly busMaster: BusMaster | undefined;
  readonly statistics: ChannelStatistics = { commands: 0, lostInterrupts: 0, spuriousInterrupts: 0, resets: 0 };
  readonly #watchdog: Watchdog;
  #verification: Verification;
  #interruptsWork: boolean;
  #frozen = true;
  #lostInARow = 0;
  #running: Execution | undefined;
  #engine: DmaEngine | undefined;
  #turns: Lane | undefined;

  constructor(
    environment: { readonly name: string; readonly clock: Clock; readonly log: Logger },
    spaces: ChannelSpaces,
    settings: ChannelSettings,
  ) {
    this.name = environment.name;
    this.clock = environment.clock;
    this.log = environment.log;
    this.taskFile = new TaskFile(spaces, environment.clock, settings.bus);
    this.busMaster = spaces.busMaster;
    this.#interruptsWork = settings.useInterrupts;
    this.#verification = settings.verification;
    this.#watchdog = new Watchdog(this, settings.lostInterruptUs, (execution) => this.#lostInterrupt(execution));
  }

  /** Whether the next command waits for its interrupt. */
  get usesInterrupts(): boolean {
    return this.#interruptsWork && !this.#frozen;
  }

  /** The largest transfer by DMA; 0: there is none. */
  get dmaBytes(): number {
    return this.#engine?.memory.sizeBytes ?? 0;
  }

  /** From now on commands of the DMA protocols can be executed. `turns`: where the channels may not both be active. */
  enableDma(engine: DmaEngine, turns: Lane | undefined): void {
    this.#engine = engine;
    this.#turns = turns;
  }

  /** The memory goes back, unless the bus master could not be stopped: then it stays with the device until that is silenced. */
  releaseDma(): void {
    // freeze() has looked once more.
    if (this.busMaster?.runaway !== true) this.#engine?.memory.release();
    this.#engine = undefined;
  }

  /** nIEN set, the bus master stopped and whatever was pending acknowledged: commands are polled until {@link thaw}. */
  freeze(): void {
    this.#frozen = true;
    this.busMaster?.halt();
    this.taskFile.setInterrupts(false);
    this.taskFile.status();
  }

  /** Back to normal work: interrupts on again, if they are used. */
  thaw(): void {
    this.taskFile.status();
    this.taskFile.setInterrupts(this.#interruptsWork);
    this.#frozen = false;
  }

  /** What is read back before each command. */
  get verification(): Verification {
    return this.#verification;
  }

  /** For devices that do not show their previous registers. */
  verifyCurrentOnly(why: string): void {
    if (this.#verification !== 'both') return;
    this.#verification = 'current';
    this.log.info(`${this.name}: the high half of 48-bit addresses is not read back before commands: ${why}`);
  }

  /** Interrupts will not come any more: what runs now and what comes later is polled. */
  stopInterrupts(why: string): void {
    if (!this.#interruptsWork) return;
    this.#interruptsWork = false;
    this.log.warn(`${this.name}: polling from now on, until the driver is attached anew: ${why}`);
    this.#watchdog.stop();
    if (this.#frozen) return;
    try {
      this.taskFile.setInterrupts(false);
    } catch (error) {
      if (!isDeviceError(error)) throw error; // A space that was closed: the next command will say so.
    }
    if (this.#running !== undefined) void pollExecution(this, this.#running);
  }

  /** Runs one command on one device. Only who has the turn of the {@link queue} may call this. */
  execute(command: Command, position: Position, data: Uint8Array = NO_DATA): Promise<Outcome> {
    const execute = () => this.#execute(command, position, data);
    return this.#turns === undefined || !isDma(command) ? execute() : this.#turns.run(execute);
  }

  async #execute(command: Command, position: Position, data: Uint8Array): Promise<Outcome> {
    const refused = await prepareCommand(this, command, position);
    if (refused !== undefined) return { failure: refused, begun: false };
    const execution = this.#executionOf(command, data);
    this.#running = execution;
    this.statistics.commands++;
    try {
      execution.start();
      // ATA/ATAPI-6 9.6: the first block of data to the device is asked for without an interrupt.
      const polled = () => !this.usesInterrupts || execution.awaitsFirstBlock;
      if (polled()) await pollExecution(this, execution, () => !polled());
      if (!execution.over) this.#watchdog.guard(execution);
      return await execution.finished;
    } catch (error) {
      execution.abandon(error);
      return await execution.finished;
    } finally {
      this.#running = undefined;
      this.#watchdog.stop();
      this.#sayRunaway();
    }
  }

  #sayRunaway(): void {
    if (this.busMaster?.runaway !== true || this.#engine === undefined) return;
    this.#engine = undefined;
    this.log.error(
      `${this.name}: the bus master cannot be stopped: programmed I/O from now on, and its memory stays with the device`,
    );
  }

  #executionOf(command: Command, data: Uint8Array): Execution {
    if (!isDma(command)) return new PioExecution(this, command, data);
    if (this.#engine === undefined) throw new Error(`${this.name}: ${command.name} without a bus master`);
    return new DmaExecution(this, command, data, this.#engine);
  }

  /** A command waits for its interrupt. */
  get awaitsInterrupt(): boolean {
    return this.#running !== undefined && this.usesInterrupts;
  }

  /** Whether the bus master has seen the device's interrupt, with DMA or without; forgets it, unless a transfer still asks. */
  takeInterruptBit(): boolean {
    const { busMaster } = this;
    try {
      if (busMaster === undefined || (busMaster.status() & BUS_MASTER_STATUS.INTERRUPT) === 0) return false;
      if (this.#running !== undefined && !isDma(this.#running.command)) busMaster.clear();
      return true;
    } catch (error) {
      if (!isDeviceError(error)) throw error;
      return true; // A space that was closed: the command will say so.
    }
  }

  /** The owner's part of an interrupt. Reads Status at most once, and only when the device is not busy. */
  handleInterrupt(): Verdict {
    const execution = this.#running;
    if (execution === undefined) return 'not-mine';
    try {
      if (!execution.advance()) return this.#notMine();
    } catch (error) {
      execution.abandon(error);
      return 'handled';
    }
    this.#lostInARow = 0;
    if (execution.endsWithoutInterrupt) this.#watchdog.hurry(execution);
    return 'handled';
  }

  /** Nobody waits for an interrupt here, but the line is up: reading Status takes it down, if it is this device's. */
  clearInterrupt(): void {
    try {
      if ((this.taskFile.peek() & STATUS.BSY) === 0) this.taskFile.status();
    } catch (error) {
      if (!isDeviceError(error)) throw error;
    }
    this.#notMine();
  }

  #notMine(): Verdict {
    this.statistics.spuriousInterrupts++;
    return 'not-mine';
  }

  #lostInterrupt(execution: Execution): void {
    this.statistics.lostInterrupts++;
    this.#lostInARow++;
    const what = `${this.name}: ${describeCommand(execution.command)}: lost interrupt`;
    if (this.#lostInARow === 1)
      this.log.warn(`${what}: the device is ready, the interrupt did not come; going on as if it had`);
    if (this.#lostInARow >= LOST_LIMIT) this.stopInterrupts(`${LOST_LIMIT} interrupts in a row were lost`);
  }
}
