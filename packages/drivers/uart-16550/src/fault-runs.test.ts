import { faultRuns, shareOf } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { type RunReport, runWithFaults } from './test-fault-run.ts';

const RUNS = faultRuns(40);

it(`delivers in ${RUNS.count} runs with faults every byte once and in order, or reports an error`, {
  timeout: 600_000,
}, async () => {
  const reports = await RUNS.each(runWithFaults);
  const share = (what: (report: RunReport) => boolean) => shareOf(reports, what);
  if (RUNS.count < 40) return; // A few runs, to look at a seed, need not be typical.
  expect(share((report) => report.injected > 0)).toBeGreaterThan(0.6);
  expect(share((report) => report.received > 1300)).toBeGreaterThan(0.5);
  expect(share((report) => report.lost > 0)).toBeGreaterThan(0.05);
  expect(share((report) => report.lostInterrupts > 0)).toBeGreaterThan(0.05);
  expect(share((report) => report.errors.parity > 0)).toBeGreaterThan(0.1);
  expect(share((report) => report.stuckTransmitters > 0)).toBeGreaterThan(0.01);
});

it('repeats a run from its seed, word for word', async () => {
  for (const seed of [1, 2, 3]) expect(await runWithFaults(seed)).toEqual(await runWithFaults(seed));
});
