/** A timer that was started with {@link Clock.after}. */
export interface Timer {
  /** Stops the timer; does nothing when it has fired already. */
  cancel(): void;
}

/**
 * The time that a device lives in: monotonic, in microseconds, never the wall clock.
 * The simulator's clock and the machine's clock are its two kinds.
 */
export interface Clock {
  /** Microseconds since an arbitrary start; never goes back. */
  nowUs(): number;
  /** Calls `callback` once, not before `delayUs` have passed and never from inside this call. */
  after(delayUs: number, callback: () => void): Timer;
  /** Lets `ns` nanoseconds pass without giving up the processor; for settle times below 10 us. */
  spinNs(ns: number): void;
}

/** Resolves after at least `delayUs` of the clock's time. */
export function sleep(clock: Clock, delayUs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayUs, resolve);
  });
}
