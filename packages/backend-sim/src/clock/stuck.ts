import { duration } from '@ring3/core';

/** What is known when a simulation can go no further. */
export interface StuckState {
  readonly nowUs: number;
  readonly waiters: number;
  /** Lines of the machine that may explain it: interrupt lines, injected faults. */
  readonly hints: readonly string[];
}

/** Somebody waits, but nothing is scheduled: it would be for ever. */
export class StuckError extends Error {
  override readonly name = 'StuckError';

  constructor({ nowUs, waiters, hints }: StuckState) {
    const who = waiters === 1 ? '1 promise is' : `${waiters} promises are`;
    const lines = [
      `nothing is scheduled: at ${duration(nowUs)} of simulated time ${who} waited for, no event is pending and nothing is held`,
      ...hints,
    ];
    super(lines.join('\n  '));
  }
}
