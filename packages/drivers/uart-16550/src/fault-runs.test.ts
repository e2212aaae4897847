import process from 'node:process';
import { expect, it } from 'vitest';
import { type RunReport, runWithFaults } from './test-fault-run.ts';

/** A campaign gives another first seed and a larger number. */
const FIRST_SEED = Number(process.env['RING3_SEED'] ?? 1);
const RUNS = Number(process.env['RING3_FAULT_RUNS'] ?? 40);

it(`delivers in ${RUNS} runs with faults every byte once and in order, or reports an error`, {
  timeout: 600_000,
}, async () => {
  const reports: RunReport[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    reports.push(
      await runWithFaults(seed).catch((cause: unknown) => {
        throw new Error(`seed ${seed}: run it alone with RING3_SEED=${seed} RING3_FAULT_RUNS=1: ${cause}`, { cause });
      }),
    );
  }
  const share = (what: (report: RunReport) => boolean) => reports.filter(what).length / reports.length;
  if (RUNS < 40) return; // A few runs, to look at a seed, need not be typical.
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
