import { SILENT } from '@ring3/core';
import { BlockTraffic, ManualClock, seededRandom, WriteOracle } from '@ring3/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReconnectingDisk } from './reconnecting-disk.ts';
import { FragileHost } from './testing/fragile-host.ts';

const BLOCKS = 24;
const RUNS = 500;
const SEED = Number(process.env['RING3_SEED'] ?? 1);

type Step =
  | { readonly kind: 'read' | 'write' | 'write-fua' | 'trim'; readonly block: number; readonly count: number }
  | { readonly kind: 'flush' | 'restart' | 'settle' | 'write-all' }
  | { readonly kind: 'pass'; readonly us: number }
  | { readonly kind: 'kill'; readonly reached: number };

interface Run {
  readonly seed: number;
  readonly journalBytes: number;
  readonly trims: boolean;
  readonly steps: readonly Step[];
}

const request = fc.record({
  kind: fc.constantFrom('read' as const, 'write' as const, 'write' as const, 'write-fua' as const, 'trim' as const),
  block: fc.oneof(fc.nat(6), fc.nat(BLOCKS - 3)),
  count: fc.integer({ min: 1, max: 3 }),
});
const pass = fc.record({ kind: fc.constant('pass' as const), us: fc.nat(60) });
const kill = fc.record({ kind: fc.constant('kill' as const), reached: fc.nat() });
const other = fc.record({
  kind: fc.constantFrom('flush' as const, 'restart' as const, 'settle' as const, 'write-all' as const),
});

const runs: fc.Arbitrary<Run> = fc.record({
  seed: fc.nat(),
  // Of 24 blocks of 512 bytes: too small for most writes, full soon, flushed at times, never full.
  journalBytes: fc.constantFrom(2500, 6500, 12_000, 1_000_000),
  trims: fc.boolean(),
  steps: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: request },
      { weight: 6, arbitrary: pass },
      { weight: 2, arbitrary: kill },
      { weight: 4, arbitrary: other },
    ),
    { minLength: 5, maxLength: 60 },
  ),
});

/** A disk behind a host that can be killed, under the eyes of an oracle that is never told of that. */
function setUp({ seed, journalBytes }: Run, volatileCache: boolean) {
  const clock = new ManualClock();
  const random = seededRandom(seed);
  const host = new FragileHost(clock, random, { volatileCache, blockCount: BLOCKS, trim: true });
  const patienceUs = Number.POSITIVE_INFINITY;
  const disk = new ReconnectingDisk(host.disk.info, { name: 'disk0', clock, log: SILENT, patienceUs, journalBytes });
  const oracle = new WriteOracle({ blockSizeBytes: host.disk.info.blockSizeBytes });
  const traffic = new BlockTraffic(disk, oracle);
  let alive = false;
  const kill = (reached: () => boolean = () => false) => {
    alive = false;
    host.kill(reached);
  };
  const restart = () => {
    if (!alive) void disk.connect(host.start(), 1);
    alive = true;
  };
  restart();
  return { clock, random, host, disk, oracle, traffic, kill, restart };
}

async function play(run: Run, fixture: ReturnType<typeof setUp>): Promise<void> {
  const { clock, traffic, kill, restart } = fixture;
  for (const step of run.steps) {
    if (step.kind === 'trim') {
      if (run.trims) traffic.trim(step.block, step.count);
    } else if (step.kind === 'read') void traffic.read(step.block, step.count);
    else if (step.kind === 'write' || step.kind === 'write-fua') {
      traffic.write(step.block, step.count, step.kind === 'write-fua');
    } else if (step.kind === 'write-all') {
      for (let block = 0; block < BLOCKS; block += 3) traffic.write(block, 3);
    } else if (step.kind === 'flush') traffic.flush();
    else if (step.kind === 'pass') await clock.advance(step.us);
    else if (step.kind === 'kill') kill(bits(step.reached));
    else restart();
    if (step.kind === 'settle') await clock.settle(traffic.ended());
  }
}

/** Whether the next cached block had got out by itself when the power went. */
function bits(pattern: number): () => boolean {
  let rest = pattern;
  return () => {
    rest = (rest >>> 1) | ((rest & 1) << 30);
    return (rest & 1) === 1;
  };
}

async function ends(run: Run, volatileCache: boolean): Promise<void> {
  const fixture = setUp(run, volatileCache);
  const { clock, traffic, kill, restart } = fixture;
  await play(run, fixture);
  restart();
  await clock.settle(traffic.ended());
  const before = await content(fixture);
  kill();
  restart();
  const after = await content(fixture);
  if (!run.trims) expect(after).toEqual(before); // Of writes that overlapped, the same one is on top.
}

/** All blocks, while nothing else is going on. */
async function content({ clock, disk, traffic }: ReturnType<typeof setUp>): Promise<Uint8Array> {
  void traffic.read(0, BLOCKS);
  await clock.settle(traffic.ended());
  const all = new Uint8Array(BLOCKS * disk.info.blockSizeBytes);
  await clock.settle(disk.read(0, all));
  return all;
}

/** The power of the whole machine goes, wherever the disk is: waiting, in the middle of a replay, serving. */
async function endsInTheDark(run: Run): Promise<void> {
  const fixture = setUp(run, true);
  const { host, oracle, clock, random, kill } = fixture;
  await play(run, fixture);
  kill(() => random() < 0.5);
  oracle.powerLost();
  const medium = new Uint8Array(BLOCKS * host.disk.info.blockSizeBytes);
  await clock.settle(host.disk.read(0, medium));
  oracle.check(0, medium);
}

describe('a reconnecting disk keeps the laws of a block device over deaths of its host', () => {
  it('with a volatile cache: what was acknowledged stays readable', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(runs, (run) => ends(run, true)),
      { numRuns: RUNS, seed: SEED },
    ),
  );

  it('without a cache', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(runs, (run) => ends(run, false)),
      { numRuns: RUNS / 4, seed: SEED },
    ),
  );

  it('and then the power of the whole machine fails: what was flushed is on the medium', { timeout: 60_000 }, () =>
    fc.assert(
      fc.asyncProperty(runs, (run) => endsInTheDark(run)),
      { numRuns: RUNS, seed: SEED },
    ),
  );
});
