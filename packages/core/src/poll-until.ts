import { type Clock, sleep } from './clock.ts';
import { DeviceError } from './device-error.ts';
import { duration, hex } from './format.ts';

/** What {@link pollUntil} waits for, and how patiently. */
export interface Poll {
  /** What is awaited, for the message: `BSY clear`. */
  readonly what: string;
  /** Reads the value once. */
  readonly read: () => number;
  /** Whether the value is the awaited one. */
  readonly until: (value: number) => boolean;
  /** The deadline, from the call on. */
  readonly timeoutUs: number;
  /** How long to poll without giving up the processor, at the start. Default 20 us. */
  readonly spinUs?: number;
  /** The pause between two reads after that; doubles up to `intervalMaxUs`. Default 50 us. */
  readonly intervalUs?: number;
  /** The longest pause between two reads. Default 10 ms. */
  readonly intervalMaxUs?: number;
  /** Called once when `slowAfterUs` have passed, to say aloud that this takes long. */
  readonly onSlow?: (value: number) => void;
  readonly slowAfterUs?: number;
}

/**
 * Reads until the value is right: spins shortly, then sleeps longer and longer, always with a deadline.
 * The last read happens at or after the deadline, so a late wake-up alone never fails the wait.
 *
 * @returns the value that ended the wait.
 * @throws DeviceError `timeout` that says what was awaited, the last value and how long.
 */
export async function pollUntil(clock: Clock, poll: Poll): Promise<number> {
  const start = clock.nowUs();
  const spinEnd = start + (poll.spinUs ?? 20);
  let pauseUs = poll.intervalUs ?? 50;
  let slowAt = poll.onSlow === undefined ? Number.POSITIVE_INFINITY : start + (poll.slowAfterUs ?? 10_000_000);
  for (;;) {
    const beforeRead = clock.nowUs();
    const value = poll.read();
    if (poll.until(value)) return value;
    const left = start + poll.timeoutUs - beforeRead;
    if (left <= 0) throw timedOut(poll, value, beforeRead - start);
    if (beforeRead >= slowAt) {
      slowAt = Number.POSITIVE_INFINITY;
      poll.onSlow?.(value);
    }
    if (beforeRead < spinEnd) {
      clock.spinNs(200);
      continue;
    }
    await sleep(clock, Math.min(pauseUs, left));
    pauseUs = Math.min(pauseUs * 2, poll.intervalMaxUs ?? 10_000);
  }
}

function timedOut(poll: Poll, value: number, waitedUs: number): DeviceError {
  return new DeviceError(
    'timeout',
    `${poll.what} did not happen within ${duration(poll.timeoutUs)}: last value ${hex(value, 8)} after ${duration(waitedUs)}`,
    { details: { lastValue: value, waitedUs: Math.round(waitedUs) } },
  );
}
