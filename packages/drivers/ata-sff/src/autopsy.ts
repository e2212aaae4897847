/** Pure: what to do about a command that failed. */
import type { Failure } from './failure.ts';
import { ERROR } from './registers.ts';

/** What was tried for one request so far. */
export interface History {
  /** Clean refusals by the device (ERR). */
  errors: number;
  /** Device faults (DF). */
  faults: number;
  /** Data that did not come through between device and memory. */
  buses: number;
  /** Resets, for whatever reason. */
  resets: number;
}

/** Before anything was tried. */
export function newHistory(): History {
  return { errors: 0, faults: 0, buses: 0, resets: 0 };
}

/** What the error handler does next. */
export interface Remedy {
  readonly reset: boolean;
  /** Issue the whole transfer again. */
  readonly again: boolean;
  /** The disk is not to be used any more. */
  readonly offline: boolean;
  /** For the log. */
  readonly words: string;
}

/** What bounds the error handler. */
export interface RetryLimits {
  /** Repetitions after a reset, 0 to 5. */
  readonly retries: number;
}

/** Repetitions of a command that the device refused in the orderly way: it has retried for itself already. */
const ERROR_RETRIES = 1;
const FAULT_RETRIES = 1;
const BUS_RETRIES = 5;

/**
 * Decides. A clean report (ERR with an Error register) needs no reset; silence and broken protocol need one; a device
 * fault gets one more chance; media that changed under us and a device that is gone end the disk.
 */
export function autopsy(failure: Failure, history: History, limits: RetryLimits, removable: boolean): Remedy {
  const remedy = { reset: false, again: false, offline: false };
  switch (failure.kind) {
    case 'gone':
      return { ...remedy, offline: true, words: 'the device is gone' };
    case 'fault':
      if (history.faults >= FAULT_RETRIES)
        return { ...remedy, offline: true, words: 'a device fault again: taken offline' };
      return { ...remedy, reset: true, again: true, words: 'a device fault: one reset, one more try' };
    case 'bus': {
      // By programmed I/O before long: the third failure within ten minutes ends DMA.
      const again = history.buses < BUS_RETRIES;
      const words = again ? 'once more' : 'given up';
      return { ...remedy, reset: failure.stuck, again, words: failure.stuck ? `reset; ${words}` : words };
    }
    case 'error': {
      const changed = (failure.error & (ERROR.MC | ERROR.MCR)) !== 0;
      if (changed && removable) return { ...remedy, offline: true, words: 'the medium was changed' };
      const again = history.errors < ERROR_RETRIES;
      const words = again ? 'once more' : 'given up';
      if (changed)
        return { ...remedy, reset: true, again, words: `is it still the same disk? reset to find out; ${words}` };
      if (!failure.stuck) return { ...remedy, again, words };
      return { ...remedy, reset: true, again, words: `reset, since the device is stuck; ${words}` };
    }
    default: {
      const again = history.resets < limits.retries;
      return { ...remedy, reset: true, again, words: again ? 'reset and once more' : 'reset, and given up' };
    }
  }
}

/** Counts a failure after the decision on it. */
export function remember(history: History, failure: Failure, remedy: Remedy): void {
  if (failure.kind === 'error') history.errors++;
  if (failure.kind === 'fault') history.faults++;
  if (failure.kind === 'bus') history.buses++;
  if (remedy.reset) history.resets++;
}
