import { expect, it } from 'vitest';
import { NODE_TIME, type RealHandle, type RealTime } from './real-time.ts';
import { SimClock } from './sim-clock.ts';

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
class FakeTime implements RealTime {
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

function paced() {
  const time = new FakeTime();
  return { time, clock: new SimClock('paced', time) };
}

it('does what is due within a millisecond at once, however often', async () => {
  const { time, clock } = paced();
  let events = 0;
  const next = () => {
    if (++events < 100) clock.after(900, next);
  };
  clock.after(900, next);
  await time.settle();
  expect(events).toBe(100);
  expect(clock.nowUs()).toBe(90_000);
  expect(time.timeouts).toBe(0);
});

it('waits in real time for what is later', async () => {
  const { time, clock } = paced();
  let fired = 0;
  clock.after(30_000, () => fired++);
  await time.settle();
  await time.pass(29);
  expect(fired).toBe(0);
  expect(clock.nowUs()).toBe(29_000);
  await time.pass(1);
  expect(fired).toBe(1);
  expect(clock.nowUs()).toBe(30_000);
});

it('uses one timer for a thousand deadlines', async () => {
  const { time, clock } = paced();
  for (let request = 0; request < 1000; request++) {
    const deadline = clock.after(30_000_000, () => {});
    clock.after(100, () => deadline.cancel());
    await time.turn();
  }
  await time.settle();
  expect(time.timeouts).toBeLessThanOrEqual(1);
});

it('does not move a deadline when something else happens before', async () => {
  const { time, clock } = paced();
  let firedAtMs = 0;
  clock.after(100_000, () => {
    firedAtMs = time.ms;
  });
  await time.settle();
  for (let step = 0; step < 9; step++) {
    await time.pass(10);
    clock.pass(1000);
    clock.after(50, () => {});
    await time.settle();
  }
  expect(clock.nowUs()).toBeCloseTo(90_000 + 9 * 51, -1);
  await time.pass(10);
  expect(firedAtMs).toBe(100);
  expect(time.timeouts, 'the timer is left alone').toBe(1);
});

it('wakes earlier for an event that comes before the one it rests for', async () => {
  const { time, clock } = paced();
  const firedAtMs: number[] = [];
  for (const us of [100_000, 10_000]) {
    clock.after(us, () => firedAtMs.push(time.ms));
    await time.settle();
  }
  await time.pass(10);
  await time.pass(90);
  expect(firedAtMs).toEqual([10, 100]);
});

it('follows real time while nothing is scheduled, and never passes an event by', async () => {
  const { time, clock } = paced();
  clock.after(1, () => {});
  await time.settle();
  time.ms += 500;
  expect(clock.nowUs()).toBeCloseTo(500_001, 0);
  clock.pass(1000);
  expect(clock.nowUs()).toBeCloseTo(500_002, 0);
  await time.settle();
  const seen: number[] = [];
  clock.after(2000, () => seen.push(clock.nowUs()));
  await time.settle();
  await time.pass(5000);
  expect(seen[0]).toBeCloseTo(502_002, 0);
});

it('loses no time by being driven', async () => {
  const { time, clock } = paced();
  clock.after(10_000, () => {});
  await time.settle();
  time.ms += 6;
  void clock.run(Promise.resolve());
  await time.settle();
  expect(clock.nowUs()).toBe(6000);
});

it('stands still while something is held, although real time passes', async () => {
  const { time, clock } = paced();
  let release = () => {};
  clock.after(5000, () => {});
  await time.settle();
  clock.hold('sync', new Promise<void>((resolve) => (release = resolve)));
  await time.pass(10_000);
  expect(clock.nowUs()).toBe(0);
  release();
  await time.turn();
  await time.settle();
  expect(clock.nowUs()).toBe(0);
  await time.pass(5);
  expect(clock.nowUs()).toBe(5000);
});

it('keeps the process alive for a deadline, not for a device that ticks to itself', async () => {
  const { time, clock } = paced();
  const tick = () => void clock.afterInDevice(20_000, tick);
  tick();
  await time.settle();
  expect(time.alive).toBe(false);
  clock.listen(1);
  expect(time.alive).toBe(true);
  clock.listen(-1);
  expect(time.alive).toBe(false);
  const deadline = clock.after(30_000_000, () => {});
  await time.settle();
  expect(time.alive).toBe(true);
  deadline.cancel();
  expect(time.alive).toBe(false);
});

it('keeps nothing alive once it is idle or closed', async () => {
  const { time, clock } = paced();
  clock.after(10, () => {});
  expect(time.alive).toBe(true);
  await time.settle();
  expect(time.alive).toBe(false);
  clock.after(1e9, () => {});
  await time.settle();
  clock.close();
  expect(time.alive).toBe(false);
});

it('throws what a callback throws from the event loop, and goes on', async () => {
  const { time, clock } = paced();
  let next = 0;
  clock.after(1, () => {
    throw new Error('handler failed');
  });
  clock.after(2, () => next++);
  await expect(time.turn()).rejects.toThrow('handler failed');
  await time.settle();
  expect(next).toBe(1);
});

it('throws what a device throws inside an access from the event loop, too', async () => {
  const { time, clock } = paced();
  clock.afterInDevice(1, () => {
    throw new Error('model is broken');
  });
  clock.pass(5000);
  await expect(time.settle()).rejects.toThrow('model is broken');
});
