import process from 'node:process';
import { BrokenLaw } from '@ring3/core/testing';
import { describe, expect, it } from 'vitest';
import type { DriverSetUp } from './test-driver.ts';
import { judgePrefix, type Recorded, recordTraffic } from './test-recording.ts';

/** A campaign gives another seed and larger numbers. */
const SEED = Number(process.env['RING3_SEED'] ?? 1);
const STREAMS = Number(process.env['RING3_CRASH_STREAMS'] ?? 2);
const REQUESTS = 60;
/** Smaller than what is written, so that the disk pushes sectors out on its own. */
const SMALL_CACHE = (20 * 512) / 2 ** 20;

const disk = { sectors: 1024, cacheMiB: SMALL_CACHE };
const WAYS: readonly (readonly [string, DriverSetUp])[] = [
  ['DMA, with WRITE DMA FUA EXT', { byDma: true, model: { disks: [disk] } }],
  ['DMA, without FUA', { byDma: true, model: { disks: [{ ...disk, fua: false }] } }],
  ['PIO, with WRITE MULTIPLE FUA EXT', { model: { disks: [disk] } }],
  [
    'PIO, without FUA, 28 bits, by polling',
    {
      model: { disks: [{ ...disk, lba48: false, fua: false }] },
      options: { interrupts: 'polling' },
    },
  ],
  ['DMA, write cache off', { byDma: true, model: { disks: [disk] }, options: { writeCache: 'off' } }],
];

describe.each(WAYS)('%s', { timeout: 600_000 }, (_name, setUp) => {
  it('keeps every promise, after whichever event the power goes', async () => {
    for (let seed = SEED; seed < SEED + STREAMS; seed++) {
      const events = await recordTraffic(seed, setUp, REQUESTS);
      expect(events.filter(({ kind }) => kind === 'medium').length, 'sectors reach the medium').toBeGreaterThan(50);
      expect(events.some(({ kind }) => kind === 'failed')).toBe(false);
      for (let length = 0; length <= events.length; length++) judgePrefix(events, length);
    }
  });
});

it('would notice a disk whose flush does nothing', async () => {
  const model = { disks: [{ ...disk, fua: false, defects: { flush: 'lie' as const } }] };
  const events = await recordTraffic(SEED, { byDma: true, model }, REQUESTS);
  expect(firstBroken(events)).toBeInstanceOf(BrokenLaw);
});

it('would notice FUA that only a flush makes durable', async () => {
  const events = await recordTraffic(SEED, { byDma: true, model: { disks: [disk] } }, REQUESTS);
  const promised = events.map((event) => (event.kind === 'write' ? { ...event, fua: true } : event));
  expect(firstBroken(promised)).toBeInstanceOf(BrokenLaw);
});

function firstBroken(events: readonly Recorded[]): unknown {
  for (let length = 0; length <= events.length; length++) {
    try {
      judgePrefix(events, length);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}
