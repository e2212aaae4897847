import { NODE_TIME, type RealHandle, type RealTime } from './real-time.ts';

class FakeHandle implements RealHandle {
  referenced = true;
  readonly callback: () => void;
  readonly atMs: number;

  constructor(callback: () => void, atMs: number) {
    this.callback = callback;
    this.atMs = atMs;
  }

  ref(): void {
    this.referenced = true;
  }

  unref(): void {
    this.referenced = false;
  }
}

/** Real time for tests of the clock: it passes when the test says so, and every timer is on record. */
export class FakeTime implements RealTime {
  ms = 0;
  /** How many real timeouts were ever asked for. */
  timeouts = 0;
  #immediates: FakeHandle[] = [];
  #timers: FakeHandle[] = [];

  nowMs(): number {
    return this.ms;
  }

  soon(callback: () => void): RealHandle {
    const handle = new FakeHandle(callback, this.ms);
    this.#immediates.push(handle);
    return handle;
  }

  later(callback: () => void, delayMs: number): RealHandle {
    this.timeouts++;
    const handle = new FakeHandle(callback, this.ms + delayMs);
    this.#timers.push(handle);
    return handle;
  }

  stop(handle: RealHandle): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle);
  }

  /** Whether Node would keep the process alive now. */
  get alive(): boolean {
    return [...this.#immediates, ...this.#timers].some((handle) => handle.referenced);
  }

  /** One turn of the event loop. */
  async turn(): Promise<void> {
    const due = this.#immediates;
    this.#immediates = [];
    try {
      for (const { callback } of due) callback();
    } finally {
      await new Promise<void>((resolve) => void NODE_TIME.soon(resolve));
    }
  }

  /** Turns until no immediate is pending. */
  async settle(): Promise<void> {
    while (this.#immediates.length > 0) await this.turn();
  }

  /** Lets real time pass, fires what is due, and settles. */
  async pass(ms: number): Promise<void> {
    this.ms += ms;
    const due = this.#timers.filter((timer) => timer.atMs <= this.ms);
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.ms);
    for (const { callback } of due) callback();
    await this.settle();
  }
}
