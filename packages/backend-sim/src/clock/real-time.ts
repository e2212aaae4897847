/** What a simulator needs of a timer of the real world. */
export interface RealHandle {
  ref(): unknown;
  unref(): unknown;
}

/** The real world's time, injected so that tests of the clock itself never wait. */
export interface RealTime {
  nowMs(): number;
  /** As soon as the event loop has nothing else to do, and never before all continuations have run. */
  soon(callback: () => void): RealHandle;
  later(callback: () => void, delayMs: number): RealHandle;
  stop(handle: RealHandle): void;
}

/** Node's own; the only place of this package that touches real time. */
export const NODE_TIME: RealTime = {
  nowMs: () => performance.now(),
  soon: (callback) => setImmediate(callback),
  later: (callback, delayMs) => setTimeout(callback, delayMs),
  stop: (handle) => clearTimeout(handle as NodeJS.Timeout),
};
