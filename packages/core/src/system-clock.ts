import type { Clock, Timer } from './clock.ts';

/** The machine's monotonic clock: timers have the granularity of the event loop, one millisecond. */
export class SystemClock implements Clock {
  nowUs(): number {
    return performance.now() * 1000;
  }

  after(delayUs: number, callback: () => void): Timer {
    const handle = setTimeout(callback, Math.ceil(delayUs / 1000));
    return { cancel: () => clearTimeout(handle) };
  }

  spinNs(ns: number): void {
    const endMs = performance.now() + ns / 1e6;
    while (performance.now() < endMs);
  }
}
