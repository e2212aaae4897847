import type { Clock, InterruptSource, Timer } from '@ring3/core';

/** How long a line that is a level stays masked after each event: nobody here clears its cause. */
const PAUSE_US = 10_000;

/** What was counted. */
export interface InterruptCount {
  readonly events: number;
  /** Events that came while the line was masked, as far as the source knows. */
  readonly missed: number;
  readonly stop: () => void;
}

/**
 * Counts the interrupts of a device that no driver handles. The cause of a level stays: such a line is masked after each
 * event and tried again 100 times a second, so a line that is stuck counts 100 events a second and storms never.
 */
export function countInterrupts(source: InterruptSource, clock: Clock, counted: () => void): InterruptCount {
  let events = 0;
  let missed = 0;
  let retry: Timer | undefined;
  const detach = source.attach((interrupt) => {
    events++;
    missed += interrupt.missed ?? 0;
    if (source.trigger === 'level') {
      source.disable();
      retry = clock.after(PAUSE_US, () => source.enable());
    }
    counted();
    return 'handled';
  });
  source.enable();
  const stop = () => {
    retry?.cancel();
    detach();
  };
  return {
    get events() {
      return events;
    },
    get missed() {
      return missed;
    },
    stop,
  };
}
