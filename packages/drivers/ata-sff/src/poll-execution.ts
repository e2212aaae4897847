import { sleep } from '@ring3/core';
import type { Execution } from './execution.ts';
import { describeCommand } from './failure.ts';
import { LONGEST_PAUSE_US, type WaitContext, waitWhileBusy } from './wait-ready.ts';

const SPIN_US = 50;
/** A transfer takes a part of a millisecond, which is the shortest time to sleep. */
const TRANSFER_SPIN_US = 1_000;
const DISAGREEMENT_PAUSE_US = 1_000;

/** Polls until the command is over, or until `enough`. Never rejects. */
export async function pollExecution(context: WaitContext, execution: Execution, enough = () => false): Promise<void> {
  const { clock, taskFile } = context;
  const stopped = () => execution.over || enough();
  let looks = 0;
  const isOccupied = (status: number) => {
    const occupied = execution.isOccupied(status);
    // Not each time: asking for the time takes some, too.
    if (occupied && ++looks % 8 === 0) execution.lookWhileOccupied();
    return occupied && !execution.over;
  };
  const spinUs = execution.command.protocol === 'non-data' ? SPIN_US : TRANSFER_SPIN_US;
  let pauseUs = DISAGREEMENT_PAUSE_US;
  try {
    while (!stopped()) {
      if (execution.advanceByPolling()) continue;
      const timeoutUs = execution.lastProgressUs + execution.command.timeoutUs - clock.nowUs();
      if (timeoutUs <= 0) return execution.timedOut(taskFile.peek());
      await waitWhileBusy(context, {
        // Words are made when somebody wants to read them: a transfer is made of microseconds.
        get what() {
          return describeCommand(execution.command);
        },
        timeoutUs,
        stopped,
        isOccupied,
        spinUs,
      });
      if (stopped() || execution.advanceByPolling()) continue;
      // Status and AltStatus disagree: time has to pass, or this would turn for ever in none.
      await sleep(clock, pauseUs);
      pauseUs = Math.min(pauseUs * 2, LONGEST_PAUSE_US);
    }
  } catch (error) {
    execution.abandon(error);
  }
}
