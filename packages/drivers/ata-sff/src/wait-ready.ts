import { type Clock, DeviceError, type Logger, pollUntil } from '@ring3/core';
import { describeRegisters } from './failure.ts';
import { ALL_ONES, STATUS } from './registers.ts';
import type { TaskFile } from './task-file.ts';

/** A status of all ones for this long, and all other registers with it: nothing drives the bus. A busy device may show it for a moment. */
export const GONE_AFTER_US = 100_000;
/** After this a person is told to be patient. */
export const SLOW_AFTER_US = 10_000_000;
/** The longest pause between two looks. */
export const LONGEST_PAUSE_US = 50_000;

/** Where waiting happens: what every wait of a channel has in common. */
export interface WaitContext {
  readonly name: string;
  readonly taskFile: TaskFile;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Notices that nothing drives the bus any more. */
export class Presence {
  readonly #context: WaitContext;
  #onesSinceUs: number | undefined;

  constructor(context: WaitContext) {
    this.#context = context;
  }

  /** The status was all ones when it was looked at last. */
  get doubtful(): boolean {
    return this.#onesSinceUs !== undefined;
  }

  /** The other registers are touched only when the status has been all ones for long: it may mean busy. */
  isLost(status: number): boolean {
    const { clock, taskFile } = this.#context;
    const nowUs = clock.nowUs();
    if (status !== ALL_ONES) this.#onesSinceUs = undefined;
    else this.#onesSinceUs ??= nowUs;
    if (this.#onesSinceUs === undefined || nowUs - this.#onesSinceUs < GONE_AFTER_US) return false;
    if (taskFile.allOnes()) return true;
    this.#onesSinceUs = nowUs;
    return false;
  }
}

/** One wait for BSY=0. */
export interface ReadyWait {
  /** What is awaited, for messages: `READ SECTORS of 8 sectors at 0`. */
  readonly what: string;
  readonly timeoutUs: number;
  /** Ends the wait early. */
  readonly stopped?: () => boolean;
  /** What is still awaited, where it is not BSY=0. */
  readonly isOccupied?: (status: number) => boolean;
  /** How long to look without a pause. */
  readonly spinUs?: number;
}

/**
 * Waits until the selected device is not busy: shortly spinning, then sleeping longer and longer. Other bits than BSY
 * mean nothing before that.
 * @returns the status.
 * @throws DeviceError `timeout`; `gone` when every register reads all ones for 100 ms.
 */
export async function waitWhileBusy(context: WaitContext, wait: ReadyWait): Promise<number> {
  const { taskFile, clock, log, name } = context;
  const { isOccupied = (value: number) => (value & STATUS.BSY) !== 0, spinUs = 50 } = wait;
  const presence = new Presence(context);
  const status = await pollUntil(clock, {
    get what() {
      return `${name}: ${wait.what}: BSY=0`;
    },
    read: () => taskFile.peek(),
    until: (value) => !isOccupied(value) || presence.isLost(value) || wait.stopped?.() === true,
    timeoutUs: wait.timeoutUs,
    spinUs,
    intervalMaxUs: LONGEST_PAUSE_US,
    slowAfterUs: SLOW_AFTER_US,
    onSlow: (value) =>
      log.warn(`${name}: ${wait.what}: slow to respond, please be patient (${describeRegisters(value)})`),
  });
  if (status === ALL_ONES && wait.stopped?.() !== true) {
    throw new DeviceError('gone', `${name}: every register reads ${describeRegisters(status)}: nothing drives the bus`);
  }
  return status;
}
