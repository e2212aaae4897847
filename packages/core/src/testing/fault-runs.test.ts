import { expect, it } from 'vitest';
import { faultRuns, shareOf } from './fault-runs.ts';

const NOTHING = { RING3_SEED: undefined, RING3_FAULT_RUNS: undefined };
const seedItself = (seed: number) => Promise.resolve(seed);

it('runs the usual number of seeds from 1 on', async () => {
  const runs = faultRuns(3, NOTHING);
  expect(runs.count).toBe(3);
  expect(await runs.each(seedItself)).toEqual([1, 2, 3]);
});

it('runs what the environment says', async () => {
  const runs = faultRuns(3, { RING3_SEED: '20', RING3_FAULT_RUNS: '2' });
  expect(runs.count).toBe(2);
  expect(await runs.each(seedItself)).toEqual([20, 21]);
});

it('names the seed of the first run that fails, and runs none after it', async () => {
  const cause = new Error('wrong data');
  const seen: number[] = [];
  const run = async (seed: number) => {
    seen.push(seed);
    if (seed === 2) throw cause;
  };
  await expect(faultRuns(3, NOTHING).each(run)).rejects.toMatchObject({
    message: 'seed 2: run it alone with RING3_SEED=2 RING3_FAULT_RUNS=1: Error: wrong data',
    cause,
  });
  expect(seen).toEqual([1, 2]);
});

it.each([
  [{ ...NOTHING, RING3_FAULT_RUNS: '1e' }, 'RING3_FAULT_RUNS=1e is not a whole number from 1 on'],
  [{ ...NOTHING, RING3_FAULT_RUNS: '0' }, 'RING3_FAULT_RUNS=0 is not a whole number from 1 on'],
  [{ ...NOTHING, RING3_SEED: '' }, 'RING3_SEED= is not a whole number from 0 on'],
])('refuses %j, which would run nothing and pass', (environment, message) => {
  expect(() => faultRuns(3, environment)).toThrow(new RangeError(message));
});

it('tells the share of reports', () => {
  expect(shareOf([1, 2, 3, 4], (report) => report > 1)).toBe(0.75);
});
