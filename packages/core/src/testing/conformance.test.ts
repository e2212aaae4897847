import { describe, expect, it } from 'vitest';
import { type ConformanceCase, registerConformance, rejection, required, runCase } from './conformance.ts';

interface Fixture {
  readonly log: string[];
  stop(): Promise<void>;
}

function setUp(cannot: { fly?: string } = {}) {
  const log: string[] = [];
  const start = async () => {
    log.push('start');
    return { log, stop: async () => void log.push('stop') };
  };
  return { log, harness: { name: 'pigeon', cannot, start } };
}

const walks: ConformanceCase<Fixture, 'fly'> = { title: 'walks', run: async ({ log }) => void log.push('walk') };
const flies: ConformanceCase<Fixture, 'fly'> = {
  title: 'flies',
  needs: ['fly'],
  run: async () => expect.fail('a penguin was asked to fly'),
};

describe('a suite', () => {
  const { log, harness } = setUp({ fly: 'it is a penguin' });
  registerConformance('bird: penguin', harness, [walks, flies]);
  it('gives each case a fixture of its own, and none to what is skipped', () => {
    expect(log).toEqual(['start', 'walk', 'stop']);
  });
});

it('a fixture is stopped also when the case fails', async () => {
  const { log, harness } = setUp();
  await expect(runCase(harness, flies)).rejects.toThrow('asked to fly');
  expect(log).toEqual(['start', 'stop']);
});

it('what a harness neither has nor excuses is a failure in words', () => {
  expect(required(7, 'level')).toBe(7);
  expect(() => required(undefined, 'level')).toThrow('the harness gives no level: provide it, or say in cannot why');
});

it('a rejection is wanted, not a throw and not an answer', async () => {
  expect(await rejection(() => Promise.reject(new RangeError('no')))).toEqual(new RangeError('no'));
  await expect(rejection(async () => 7)).rejects.toThrow('was expected to fail, but gave 7');
  const throws = () => {
    throw new RangeError('no');
  };
  await expect(rejection(throws)).rejects.toThrow('threw instead of returning a rejected promise: RangeError: no');
});
