import process from 'node:process';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { BlockDeviceCase, BlockDeviceFixture } from './block-device-harness.ts';
import { pattern } from './block-pattern.ts';
import { BlockTraffic, type TrafficStep } from './block-traffic.ts';
import { required } from './conformance.ts';
import { WriteOracle } from './write-oracle.ts';

/** Requests overlap. */
export const OVERLAP_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'does many requests at once',
    run: async ({ disk, settle }) => {
      const { blockSizeBytes } = disk.info;
      const blocks = Array.from({ length: 16 }, (_, block) => block);
      await settle(
        Promise.all(blocks.map((block) => disk.write(block, pattern(blockSizeBytes, block, 1, 100 + block)))),
      );
      const into = blocks.map(() => new Uint8Array(blockSizeBytes));
      await settle(Promise.all([disk.flush(), ...into.map((data, block) => disk.read(block, data)), disk.flush()]));
      for (const block of blocks) expect(into[block]).toEqual(pattern(blockSizeBytes, block, 1, 100 + block));
    },
  },
  {
    title: 'never mixes the blocks of writes that overlap, nor shows a read half a block',
    run: async (fixture) => {
      const { traffic } = await watched(fixture);
      for (let round = 0; round < 4; round++) {
        traffic.write(0, 4);
        traffic.write(2, 4);
        while (!traffic.idle) await fixture.settle(traffic.read(0, 6));
        await fixture.settle(traffic.read(0, 6));
        await fixture.settle(traffic.ended());
      }
    },
  },
];

/** The power goes. */
export const POWER_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'keeps what was flushed when the power goes, and of the rest each block old or new',
    needs: ['power-cut'],
    run: async (fixture) => {
      const { traffic, ended, cut } = await watched(fixture);
      traffic.write(0, 4);
      await ended();
      traffic.flush();
      await ended();
      traffic.write(2, 4);
      await ended();
      await cut();
      void traffic.read(0, 6);
      await ended();
    },
  },
  {
    title: 'keeps what was written with FUA when the power goes',
    needs: ['power-cut'],
    run: async (fixture) => {
      const { traffic, ended, cut } = await watched(fixture);
      traffic.write(0, 3);
      await ended();
      traffic.write(1, 3, true);
      await ended();
      await cut();
      void traffic.read(0, 4);
      await ended();
    },
  },
  {
    title: 'works on after the power came back',
    needs: ['power-cut'],
    run: async (fixture) => {
      const { traffic, ended, cut } = await watched(fixture);
      for (let round = 0; round < 3; round++) {
        traffic.write(round, 2);
        await ended();
        traffic.flush();
        traffic.write(round + 4, 1);
        await cut();
        void traffic.read(0, 8);
        await ended();
      }
    },
  },
];

/** Blocks that nobody needs any more. */
export const TRIM_TRAFFIC_CASES: readonly BlockDeviceCase[] = [
  {
    title: 'keeps what is written after a trim has ended, and next to one that has not',
    needs: ['trim'],
    run: async (fixture) => {
      const { traffic, ended } = await watched(fixture);
      for (let round = 0; round < 4; round++) {
        traffic.write(0, 12);
        await ended();
        traffic.trim(2, 8);
        traffic.write(0, 2);
        traffic.write(10, 2);
        await ended();
        traffic.write(4, 4);
        await ended();
        void traffic.read(0, 12);
        await ended();
      }
    },
  },
  {
    title: 'keeps what was flushed after a trim when the power goes',
    needs: ['trim', 'power-cut'],
    run: async (fixture) => {
      const { traffic, ended, cut } = await watched(fixture);
      traffic.write(0, 8);
      await ended();
      traffic.trim(2, 4);
      await ended();
      traffic.write(3, 2);
      await ended();
      traffic.flush();
      await ended();
      await cut();
      void traffic.read(0, 8);
      await ended();
    },
  },
];

/** Blocks at the start of the disk, known to be zero and on stable storage, under the eyes of the oracle. */
async function watched(fixture: BlockDeviceFixture) {
  const { disk, settle } = fixture;
  const oracle = new WriteOracle({ blockSizeBytes: disk.info.blockSizeBytes });
  await settle(disk.write(0, new Uint8Array(REGION_BLOCKS * disk.info.blockSizeBytes)));
  await settle(disk.flush());
  const traffic = new BlockTraffic(disk, oracle);
  const ended = () => settle(traffic.ended());
  const cut = async () => {
    await required(fixture.powerCut, 'powerCut')();
    traffic.disk = fixture.disk;
    await settle(traffic.endedByPowerCut());
    oracle.powerLost();
  };
  return { traffic, ended, cut };
}

const REGION_BLOCKS = 16;

interface RandomAbilities {
  readonly canCutPower: boolean;
  readonly canTrim: boolean;
}

/** The laws hold in sequences of requests that nobody thought of. */
export function randomCase(runs: number, abilities: RandomAbilities): BlockDeviceCase {
  return {
    title: 'keeps the laws in random sequences of overlapping requests',
    run: async (fixture) => {
      const seed = Number(process.env['RING3_SEED'] ?? 1);
      const property = fc.asyncProperty(randomSteps(abilities), (steps) => runSteps(fixture, steps));
      await fc.assert(property, { numRuns: runs, seed });
    },
  };
}

function randomSteps({ canCutPower, canTrim }: RandomAbilities): fc.Arbitrary<TrafficStep[]> {
  const kinds = ['read', 'write', 'write-fua'] as const;
  const request = fc.record({
    kind: canTrim ? fc.constantFrom(...kinds, 'trim' as const) : fc.constantFrom(...kinds),
    block: fc.nat(REGION_BLOCKS - 4),
    count: fc.integer({ min: 1, max: 4 }),
  });
  const flush = fc.constant({ kind: 'flush' as const });
  const wait = fc.constantFrom({ kind: 'wait' as const }, { kind: canCutPower ? ('cut' as const) : ('wait' as const) });
  return fc.array(
    fc.oneof({ weight: 6, arbitrary: request }, { weight: 1, arbitrary: flush }, { weight: 2, arbitrary: wait }),
    { minLength: 1, maxLength: 40 },
  );
}

async function runSteps(fixture: BlockDeviceFixture, steps: readonly TrafficStep[]): Promise<void> {
  const { traffic, ended, cut } = await watched(fixture);
  for (const step of steps) {
    if (step.kind === 'wait') await ended();
    else if (step.kind === 'cut') await cut();
    else if (step.kind === 'flush') traffic.flush();
    else if (step.kind === 'trim') traffic.trim(step.block, step.count);
    else if (step.kind === 'read') void traffic.read(step.block, step.count);
    else traffic.write(step.block, step.count, step.kind === 'write-fua');
  }
  await ended();
  void traffic.read(0, REGION_BLOCKS);
  await ended();
}
