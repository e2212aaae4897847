import { expect, it } from 'vitest';
import { type Poll, pollUntil } from './poll-until.ts';
import { ManualClock } from './testing/manual-clock.ts';

const BSY = 0x80;

/** A status register that is busy until `readyAtUs`; `readsAtUs` says when it was read. */
function setUp(readyAtUs: number) {
  const clock = new ManualClock();
  const readsAtUs: number[] = [];
  const read = () => {
    readsAtUs.push(clock.nowUs());
    return clock.nowUs() >= readyAtUs ? 0x50 : BSY;
  };
  const poll = (options: Partial<Poll> = {}) =>
    clock.settle(
      pollUntil(clock, {
        what: 'BSY clear',
        read,
        until: (status) => (status & BSY) === 0,
        timeoutUs: 1000,
        spinUs: 0,
        ...options,
      }),
    );
  return { clock, readsAtUs, poll };
}

it('returns what it read at once when that is right', async () => {
  const { clock, readsAtUs, poll } = setUp(0);
  expect(await poll({ timeoutUs: 0 })).toBe(0x50);
  expect(readsAtUs).toEqual([0]);
  expect(clock.scheduled).toBe(0);
});

it('sleeps longer and longer, up to a limit', async () => {
  const { readsAtUs, poll } = setUp(1_000);
  expect(await poll({ timeoutUs: 10_000, intervalUs: 100, intervalMaxUs: 300 })).toBe(0x50);
  expect(readsAtUs).toEqual([0, 100, 300, 600, 900, 1200]);
});

it('spins first, without a timer', async () => {
  const { readsAtUs, poll } = setUp(1);
  expect(await poll({ spinUs: 10 })).toBe(0x50);
  expect(readsAtUs.length).toBe(6);
  expect(readsAtUs.at(-1)).toBeCloseTo(1);
});

it('reads for the last time at the deadline, not before', async () => {
  const { readsAtUs, poll } = setUp(1000);
  expect(await poll({ intervalUs: 400, intervalMaxUs: 400 })).toBe(0x50);
  expect(readsAtUs).toEqual([0, 400, 800, 1000]);
});

it('reads once more after a wake-up that came too late', async () => {
  const { clock, readsAtUs, poll } = setUp(5000);
  const slow = clock.after.bind(clock);
  clock.after = (delayUs, callback) => slow(delayUs + 6000, callback);
  expect(await poll()).toBe(0x50);
  expect(readsAtUs).toEqual([0, 6050]);
});

it('reads once more when a read that began in time came back too late', async () => {
  const { clock, readsAtUs, poll } = setUp(3000);
  const read = () => {
    readsAtUs.push(clock.nowUs());
    clock.spinNs(2_000_000);
    return clock.nowUs() > 3000 ? 0x50 : BSY;
  };
  expect(await poll({ read })).toBe(0x50);
  expect(readsAtUs).toEqual([0, 2050]);
});

it('fails with what was awaited, the last value and how long', async () => {
  const { readsAtUs, poll } = setUp(Number.POSITIVE_INFINITY);
  await expect(poll({ intervalUs: 600 })).rejects.toMatchObject({
    code: 'timeout',
    message: 'BSY clear did not happen within 1 ms: last value 0x80 after 1 ms',
    details: { lastValue: 0x80, waitedUs: 1000 },
  });
  expect(readsAtUs).toEqual([0, 600, 1000]);
});

it('says once that it takes long', async () => {
  const { poll } = setUp(900);
  const slow: number[] = [];
  await poll({ intervalUs: 100, intervalMaxUs: 100, slowAfterUs: 300, onSlow: (value) => slow.push(value) });
  expect(slow).toEqual([BSY]);
});

it('says nothing when it does not', async () => {
  const { poll } = setUp(300);
  await poll({ intervalUs: 100, intervalMaxUs: 100, slowAfterUs: 300, onSlow: () => expect.unreachable() });
});

it('fails with what reading throws', async () => {
  const { clock, poll } = setUp(0);
  const read = () => {
    throw new RangeError('no such register');
  };
  await expect(poll({ read })).rejects.toThrow('no such register');
  expect(clock.scheduled).toBe(0);
});
