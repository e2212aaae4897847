import { readFileSync } from 'node:fs';
import simBackend from '@ring3/backend-sim';
import { openRig } from '@ring3/rig';
import { expect, it } from 'vitest';
import { edu, FACTORIAL_UNIT } from './index.ts';
import model, { optionsSchema } from './model/index.ts';

const builtins = {
  drivers: { edu: async () => ({ default: edu }) },
  models: { edu: async () => ({ default: model }) },
  backends: { sim: async () => ({ default: simBackend }) },
};

it('the program of the README prints 3628800', async () => {
  const rig = await openRig(new URL('../../../../rigs/edu.yaml', import.meta.url).pathname, { builtins });
  const unit = rig.get(FACTORIAL_UNIT, 'unit0');
  expect(await unit.factorial(10)).toBe(3_628_800);
  await rig.close();
});

it('the README has each option of the model with its default', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `(\w+)` \| `?([\w.]+)`? \|/gm)].map(([, name, value]) => [name, value]);
  const defaults = Object.entries(optionsSchema.parse({})).map(([name, value]) => [
    name,
    name === 'address' ? `0x${value.toString(16)}` : String(value),
  ]);
  expect(rows).toEqual(defaults);
});
