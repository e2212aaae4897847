import type { Clock, Timer } from './clock.ts';

/** The longest delay of `setTimeout`; a longer one would fire at once. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** The machine's monotonic clock: timers have the granularity of the event loop, one millisecond. */
export class SystemClock implements Clock {
  nowUs(): number {
    return performance.now() * 1000;
  }

  after(delayUs: number, callback: () => void): Timer {
    const dueUs = this.nowUs() + delayUs;
    let handle: NodeJS.Timeout | undefined;
    const wait = () => {
      const leftMs = Math.ceil((dueUs - this.nowUs()) / 1000);
      handle = setTimeout(fire, Math.min(Math.max(leftMs, 0), TIMEOUT_MAX_MS));
    };
    // The event loop counts whole milliseconds: a timer can be early by a part of one.
    const fire = () => (this.nowUs() < dueUs ? wait() : callback());
    wait();
    return { cancel: () => clearTimeout(handle) };
  }

  spinNs(ns: number): void {
    const endMs = performance.now() + ns / 1e6;
    while (performance.now() < endMs);
  }
}
