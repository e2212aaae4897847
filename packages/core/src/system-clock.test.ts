import { afterEach, expect, it, vi } from 'vitest';
import { sleep } from './clock.ts';
import { SystemClock } from './system-clock.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('calls back once, not early, and not from inside of after()', async () => {
  const clock = new SystemClock();
  const start = clock.nowUs();
  let calls = 0;
  await new Promise<void>((resolve) => {
    clock.after(1, () => {
      calls++;
      resolve();
    });
    expect(calls).toBe(0);
  });
  expect(clock.nowUs() - start).toBeGreaterThanOrEqual(1);
  expect(calls).toBe(1);
});

it('is never early, also when the event loop is', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const clock = new SystemClock();
  let fired = false;
  clock.after(10_000, () => {
    fired = true;
  });
  vi.spyOn(performance, 'now').mockReturnValue(9.2);
  vi.advanceTimersByTime(10);
  expect(fired).toBe(false);
  vi.spyOn(performance, 'now').mockReturnValue(10.1);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(true);
});

it('keeps delays beyond the limit of setTimeout, which would fire at once', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const clock = new SystemClock();
  const month = 31 * 24 * 3600 * 1000;
  let fired = false;
  clock.after(month * 1000, () => {
    fired = true;
  });
  vi.advanceTimersByTime(month - 1);
  expect(fired).toBe(false);
  vi.advanceTimersByTime(1);
  expect(fired).toBe(true);
});

it('does not call back after cancel, also one that had to wait twice', () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const clock = new SystemClock();
  const timer = clock.after(31 * 24 * 3600 * 1e6, () => expect.unreachable());
  vi.advanceTimersByTime(2 ** 31);
  timer.cancel();
  timer.cancel();
  expect(vi.getTimerCount()).toBe(0);
});

it('spins at least as long as asked', () => {
  const clock = new SystemClock();
  const start = clock.nowUs();
  clock.spinNs(50_000);
  expect(clock.nowUs() - start).toBeGreaterThanOrEqual(50);
});

it('sleep resolves when the time has passed', async () => {
  const clock = new SystemClock();
  const start = clock.nowUs();
  await sleep(clock, 500);
  expect(clock.nowUs() - start).toBeGreaterThanOrEqual(500);
});
