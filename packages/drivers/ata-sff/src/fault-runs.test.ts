import { faultRuns, shareOf } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { type RunReport, runWithFaults } from './test-fault-run.ts';

/** More of them in CI (`npm run test:faults`), and in the campaign. */
const RUNS = faultRuns(250);

/** Every other run is by DMA. */
const run = (seed: number) => runWithFaults(seed, seed % 2 === 0);

it(`ends ${RUNS.count} runs with faults in right data or a named error, never in wrong data or a hang`, {
  timeout: 200_000 + RUNS.count * 100,
}, async () => {
  const reports = await RUNS.each(run);
  const share = (what: (report: RunReport) => boolean) => shareOf(reports, what);
  if (RUNS.count < 100) return; // A few runs, to look at a seed, need not be typical.
  // The runs are worth something: most have a disk, faults happen in most, and in many a request fails.
  expect(share((report) => report.disks > 0)).toBeGreaterThan(0.7);
  expect(share((report) => report.injected > 0)).toBeGreaterThan(0.7);
  expect(share((report) => report.well > 10)).toBeGreaterThan(0.5);
  expect(share((report) => Object.keys(report.failed).length > 0)).toBeGreaterThan(0.05);
});

it('repeats a run from its seed, word for word', async () => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) expect(await run(seed)).toEqual(await run(seed));
});

// 21835: a FLUSH that never arrived, and an interrupt of somebody else that seemed to end it.
// 28072: silence upon silence, more than an hour of it.
it.each([21_835, 28_072])('ends run %i, which a campaign has failed on', async (seed) => {
  await runWithFaults(seed);
});
