import { simulate } from '@ring3/backend-sim';
import { defineModel } from '@ring3/backend-sim/model';
import { sleep } from '@ring3/core';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { countInterrupts } from './count-interrupts.ts';

/** A device that interrupts every millisecond: by an edge, or by a level that nobody clears. */
const ticker = (trigger: 'level' | 'edge') =>
  defineModel({
    name: 'ticker',
    options: z.strictObject({}),
    describe: () => ({
      identity: { name: 'ticker' },
      spaces: [{ name: 'registers', kind: 'memory', start: 0n, sizeBytes: 4 }],
      interrupts: [{ index: 0, trigger, line: 'IRQ 5' }],
    }),
    create(pins) {
      const tick = () => {
        if (trigger === 'level') pins.interrupt(0).raise();
        else pins.interrupt(0).pulse();
        pins.after(1000, tick);
      };
      pins.after(1000, tick);
      return { read: () => 0, write: () => {} };
    },
  });

async function countFor(trigger: 'level' | 'edge', us: number): Promise<{ events: number; storms: number }> {
  const sim = await simulate(ticker(trigger), {});
  onTestFinished(() => sim.close());
  const source = sim.interrupt();
  const counted = countInterrupts(source, sim.clock, () => {});
  await sim.run(sleep(sim.clock, us));
  counted.stop();
  const { events } = counted;
  await sim.run(sleep(sim.clock, us));
  expect(counted.events, 'after stop()').toBe(events);
  return { events, storms: source.statistics.storms };
}

it('counts every edge', async () => {
  expect(await countFor('edge', 100_500)).toEqual({ events: 100, storms: 0 });
});

it('asks a level that stays no more than 100 times a second', async () => {
  const { events, storms } = await countFor('level', 1_000_000);
  expect(events).toBeGreaterThan(95);
  expect(events).toBeLessThanOrEqual(100);
  expect(storms).toBe(0);
});
