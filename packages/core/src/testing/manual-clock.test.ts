import { expect, it } from 'vitest';
import { sleep } from '../clock.ts';
import { ManualClock } from './manual-clock.ts';

it('stands still until it is stepped', async () => {
  const clock = new ManualClock();
  const calls: string[] = [];
  clock.after(20, () => calls.push(`late at ${clock.nowUs()}`));
  clock.after(10, () => calls.push(`first at ${clock.nowUs()}`));
  clock.after(10, () => calls.push(`second at ${clock.nowUs()}`));
  expect([clock.nowUs(), clock.scheduled]).toEqual([0, 3]);
  await clock.advance(10);
  expect(calls).toEqual(['first at 10', 'second at 10']);
  await clock.advance(100);
  expect([...calls, clock.nowUs(), clock.scheduled]).toEqual(['first at 10', 'second at 10', 'late at 20', 110, 0]);
});

it('gives promises their turn between two timers', async () => {
  const clock = new ManualClock();
  const times: number[] = [];
  const loop = async () => {
    for (let round = 0; round < 3; round++) {
      await sleep(clock, 5);
      times.push(clock.nowUs());
    }
  };
  await clock.settle(loop());
  expect(times).toEqual([5, 10, 15]);
});

it('never calls from inside of after, and not what was cancelled', async () => {
  const clock = new ManualClock();
  const calls: string[] = [];
  clock.after(0, () => calls.push('now'));
  clock.after(-5, () => calls.push('past'));
  clock.after(0, () => calls.push('cancelled')).cancel();
  expect(calls).toEqual([]);
  await clock.advance(0);
  expect(calls).toEqual(['now', 'past']);
});

it('lets time pass by spinning, and calls what became due afterwards', async () => {
  const clock = new ManualClock();
  const calls: number[] = [];
  clock.after(1, () => calls.push(clock.nowUs()));
  clock.spinNs(2500);
  expect(calls).toEqual([]);
  await clock.advance(0);
  expect(calls).toEqual([2.5]);
});

it('settles to what the promise does', async () => {
  const clock = new ManualClock();
  await expect(clock.settle(Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(clock.settle(sleep(clock, 7).then(() => clock.nowUs()))).resolves.toBe(7);
});

it('says at once that nothing is scheduled', async () => {
  const clock = new ManualClock();
  await clock.advance(40);
  await expect(clock.settle(new Promise(() => {}))).rejects.toThrow('nothing is scheduled at 40 us');
});

it('fails where a timer fails', async () => {
  const clock = new ManualClock();
  const broken = () => {
    throw new Error('a timer that throws');
  };
  clock.after(1, broken);
  await expect(clock.advance(5)).rejects.toThrow('a timer that throws');
});
