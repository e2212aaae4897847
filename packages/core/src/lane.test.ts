import { expect, it } from 'vitest';
import { Lane } from './lane.ts';

it('does one thing after the other, whatever became of the one before', async () => {
  const lane = new Lane();
  const events: string[] = [];
  const work = (name: string, turns: number, fails = false) =>
    lane.run(async () => {
      events.push(`${name} begins`);
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      events.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const all = await Promise.allSettled([work('slow', 9), work('bad', 3, true), work('quick', 0)]);
  expect(events).toEqual(['slow', 'bad', 'quick'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
