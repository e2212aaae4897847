import { isDeviceError } from '@ring3/core';
import type { Command } from './commands.ts';
import { describeCommand, describeRegisters, type Failure, failure } from './failure.ts';
import type { Verification } from './read-back.ts';
import { ALL_ONES } from './registers.ts';
import { isOccupied, type Position } from './task-file.ts';
import { type WaitContext, waitWhileBusy } from './wait-ready.ts';

const IDLE_TIMEOUT_US = 5_000_000;
const LOAD_ATTEMPTS = 3;

/** Where a command is prepared: a channel. */
interface Prepared extends WaitContext {
  /** What is read back. */
  readonly verification: Verification;
}

/** Selects the device, waits until it is idle, writes the task file; the command itself is not written yet. @returns why not. */
export async function prepareCommand(
  channel: Prepared,
  command: Command,
  position: Position,
): Promise<Failure | undefined> {
  const { taskFile } = channel;
  try {
    for (let attempt = 0; attempt < LOAD_ATTEMPTS; attempt++) {
      if (taskFile.selected !== position) await select(channel, position, command);
      if (taskFile.load(command, position, channel.verification) === 'same') return undefined;
      await waitWhileBusy(channel, { what: `before ${describeCommand(command)}`, timeoutUs: IDLE_TIMEOUT_US });
      taskFile.forgetSelection();
    }
    const status = taskFile.peek();
    const why = isOccupied(status) ? 'the device is not idle' : 'the task file does not hold what was written';
    return failure(
      'protocol',
      `${describeCommand(command)} was not started: ${why}: ${describeRegisters(status)}`,
      status,
      {
        stuck: true,
      },
    );
  } catch (error) {
    if (!isDeviceError(error)) throw error;
    return failure(error.code === 'timeout' ? 'timeout' : 'gone', error.message, ALL_ONES, { stuck: true });
  }
}

/** ATA/ATAPI-6 9.3: the device is written to only when it is selected and idle. */
async function select(channel: Prepared, position: Position, command: Command): Promise<void> {
  const what = describeCommand(command);
  channel.taskFile.select(position);
  await waitWhileBusy(channel, { what: `device ${position} before ${what}`, timeoutUs: IDLE_TIMEOUT_US });
}
