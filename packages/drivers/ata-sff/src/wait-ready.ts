import { type Clock, DeviceError, type Logger, pollUntil } from '@ring3/core';
import { describeRegisters } from './failure.ts';
import { ALL_ONES, STATUS } from './registers.ts';
import type { TaskFile } from './task-file.ts';

/** A bus that reads all ones for this long is an empty one; a busy device may show them for a moment. */
export const GONE_AFTER_US = 100_000;
/** After this a person is told to be patient. */
export const SLOW_AFTER_US = 10_000_000;
const LONGEST_PAUSE_US = 50_000;

/** Where waiting happens: what every wait of a channel has in common. */
export interface WaitContext {
  readonly name: string;
  readonly taskFile: TaskFile;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One wait for BSY=0. */
export interface ReadyWait {
  /** What is awaited, for messages: `READ SECTORS of 8 sectors at 0`. */
  readonly what: string;
  readonly timeoutUs: number;
  /** Ends the wait early. */
  readonly stopped?: () => boolean;
}

/**
 * Waits until the selected device is not busy: shortly spinning, then sleeping longer and longer. Other bits than BSY
 * mean nothing before that.
 * @returns the status.
 * @throws DeviceError `timeout`; `gone` when every register reads all ones for 100 ms.
 */
export async function waitWhileBusy(context: WaitContext, wait: ReadyWait): Promise<number> {
  const { taskFile, clock, log, name } = context;
  let onesSince = Number.POSITIVE_INFINITY;
  const isGone = (status: number) => {
    if (status !== ALL_ONES || !taskFile.allOnes()) onesSince = Number.POSITIVE_INFINITY;
    else onesSince = Math.min(onesSince, clock.nowUs());
    return clock.nowUs() - onesSince >= GONE_AFTER_US;
  };
  const status = await pollUntil(clock, {
    what: `${name}: ${wait.what}: BSY=0`,
    read: () => taskFile.peek(),
    until: (value) => (value & STATUS.BSY) === 0 || isGone(value) || wait.stopped?.() === true,
    timeoutUs: wait.timeoutUs,
    spinUs: 50,
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
