import { expect, test } from 'vitest';
import { runBounded } from './run-bounded.ts';

test('steps start in order, at most as many at a time as allowed', async () => {
  const started: number[] = [];
  let now = 0;
  let most = 0;
  await runBounded(10, 3, async (index) => {
    started.push(index);
    now += 1;
    most = Math.max(most, now);
    for (let turn = 0; turn < (index * 7) % 5; turn += 1) await Promise.resolve();
    now -= 1;
  });
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(most).toBe(3);
});

test('of several failures the first one counts, and only when everything started has ended', async () => {
  const ended: number[] = [];
  const run = runBounded(10, 3, async (index) => {
    for (let turn = 0; turn < 10 - 3 * index; turn += 1) await Promise.resolve();
    ended.push(index);
    if (index > 0) throw new Error(`step ${index}`);
  });
  await expect(run).rejects.toThrow('step 1');
  expect(ended).toEqual([2, 1, 0]);
});

test('a failure of the first step is a failure', async () => {
  await expect(runBounded(1, 4, () => Promise.reject(new Error('step 0')))).rejects.toThrow('step 0');
});

test('nothing to do is done', async () => {
  await runBounded(0, 4, () => Promise.reject(new Error('never')));
});
