import process from 'node:process';
import { needsTools } from '@ring3/core/testing';
import fc from 'fast-check';
import { beforeEach, expect, it } from 'vitest';
import { DIFFERENCES } from './testing/differences.ts';
import { createTwins } from './testing/pair.ts';
import { stepsFor } from './testing/streams.ts';

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

/** A campaign gives another seed and a larger number. */
const SEED = Number(process.env['RING3_SEED'] ?? 1);
const COMMANDS = Number(process.env['RING3_DIFFERENTIAL_COMMANDS'] ?? 10_000);
/** Streams between two looks at the number of commands. */
const STREAMS = 4;

it(`sees no difference that is not explained in ${COMMANDS} random commands on the model and on QEMU`, {
  timeout: 200_000 + COMMANDS * 30,
}, async () => {
  const { twins, seen, close } = await createTwins();
  const commands = () => twins.reduce((sum, each) => sum + each.commands, 0);
  try {
    for (let round = 0; commands() < COMMANDS; round++) {
      const one = twins[round % 2];
      if (one === undefined) break;
      const property = fc.asyncProperty(
        fc.array(stepsFor(one.place), { minLength: 1, maxLength: 150, size: 'max' }),
        async (stream) => {
          await one.begin();
          for (const step of stream) await one.run(step);
        },
      );
      await fc.assert(property, {
        seed: SEED * 1_000_003 + round,
        numRuns: STREAMS,
        interruptAfterTimeLimit: 60_000,
      });
    }
  } finally {
    await close();
  }
  if (COMMANDS < 10_000) return; // A few commands, to look at a seed, need not meet everything.
  const missing = DIFFERENCES.filter(({ name }) => !seen.has(name)).map(({ name }) => name);
  expect(missing, 'differences that are listed and were not seen any more').toEqual([]);
});
