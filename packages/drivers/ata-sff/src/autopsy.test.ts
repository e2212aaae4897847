import { describe, expect, it } from 'vitest';
import { autopsy, type History, newHistory, remember } from './autopsy.ts';
import { type FailureKind, failure } from './failure.ts';

const limits = { retries: 2 };
const UNC = 0x40;
const MC = 0x20;

describe('the autopsy', () => {
  it.each<[string, FailureKind, { error?: number; stuck?: boolean }, Partial<History>, object]>([
    ['A18: a clean refusal: once more without a reset', 'error', { error: UNC }, {}, { reset: false, again: true }],
    ['A18: and never a second time', 'error', { error: UNC }, { errors: 1 }, { reset: false, again: false }],
    ['A16: a refusal that leaves DRQ set', 'error', { error: UNC, stuck: true }, {}, { reset: true, again: true }],
    ['A21: a device fault gets one reset', 'fault', {}, {}, { reset: true, again: true, offline: false }],
    ['A21: and ends the disk when it is repeated', 'fault', {}, { faults: 1 }, { offline: true, again: false }],
    ['A8: silence', 'timeout', {}, { resets: 1 }, { reset: true, again: true }],
    ['A8: silence again and again', 'timeout', {}, { resets: 2 }, { reset: true, again: false }],
    ['A13: broken protocol', 'protocol', {}, {}, { reset: true, again: true }],
    ['A20: damaged on its way: once more without a reset', 'bus', {}, { buses: 2 }, { reset: false, again: true }],
    ['A20: and the device is stuck', 'bus', { stuck: true }, {}, { reset: true, again: true }],
    ['a removed device', 'gone', {}, {}, { reset: false, again: false, offline: true }],
  ])('%s', (_what, kind, details, history, expected) => {
    const remedy = autopsy(failure(kind, 'it failed', 0x51, details), { ...newHistory(), ...history }, limits, false);
    expect(remedy).toMatchObject(expected);
  });

  it('A22: believes in a media change only where media can change', () => {
    const changed = failure('error', 'it failed', 0x51, { error: MC });
    expect(autopsy(changed, newHistory(), limits, true)).toMatchObject({ offline: true });
    expect(autopsy(changed, newHistory(), limits, false)).toMatchObject({ offline: false, reset: true, again: true });
  });

  it('ends for each kind of failure', () => {
    for (const kind of ['error', 'fault', 'timeout', 'protocol', 'bus', 'gone'] as const) {
      const history = newHistory();
      let tries = 0;
      for (let again = true; again && tries < 100; tries++) {
        const failed = failure(kind, 'it failed', 0x51);
        const remedy = autopsy(failed, history, { retries: 5 }, false);
        remember(history, failed, remedy);
        again = remedy.again;
      }
      expect(tries).toBeLessThanOrEqual(6);
    }
  });
});
