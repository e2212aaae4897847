import { interruptAfter } from '@ring3/core';
import { expect, it } from 'vitest';
import { simulate } from './simulate.ts';
import { scratchModel } from './testing/scratch-model.ts';

it('runs a driver against a model, from register write to interrupt', async () => {
  const sim = await simulate(scratchModel, {});
  const registers = sim.memory('registers');
  const source = sim.interrupt();
  source.attach(() => {
    if (registers.read32(0x08) === 0) return 'not-mine';
    registers.write32(0x08, 0xffff_ffff);
    return 'handled';
  });
  source.enable();

  const fired = await interruptAfter(source, sim.clock, 1_000_000, () => registers.write32(0x0c, 500));

  expect(fired.atUs).toBeGreaterThanOrEqual(500);
  expect(fired.atUs).toBeLessThan(510);
  expect(registers.read32(0)).toBe(0x5343_5254);
  await sim.close();
  expect(() => registers.read32(0)).toThrow(/after the space was closed/);
});
