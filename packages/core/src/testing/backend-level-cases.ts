import { config, take } from 'rxjs';
import { expect } from 'vitest';
import type { Verdict } from '../interrupt.ts';
import { interruptAfter } from '../interrupt-after.ts';
import type { InterruptSource } from '../interrupt-source.ts';
import { type BackendCase, type BackendFixture, type Opened, openDevice, openInterrupt } from './backend-harness.ts';
import { rejection, required } from './conformance.ts';

/** Much longer than any test takes on a working device. */
export const LONG_US = 5_000_000;

interface LevelSetUp extends Opened {
  readonly source: InterruptSource;
  /** Triggers, and waits for the interrupt that is handled next. */
  readonly interruptOf: (trigger: () => void) => Promise<unknown>;
  readonly raise: () => void;
}

/** The level interrupt with an owner that clears the cause and then says what `verdict` says. */
async function ownLevel(fixture: BackendFixture, verdict?: (clear: () => void) => Verdict): Promise<LevelSetUp> {
  const level = required(fixture.level, 'level');
  const opened = await openDevice(fixture);
  const source = await openInterrupt(opened, level.index);
  const clear = () => level.clear(opened.spaces);
  source.attach(() => {
    if (verdict !== undefined) return verdict(clear);
    clear();
    return 'handled';
  });
  const interruptOf = (trigger: () => void) =>
    fixture.settle(interruptAfter(source, opened.device.clock, LONG_US, trigger));
  return { ...opened, source, interruptOf, raise: () => level.raise(opened.spaces) };
}

/** Level interrupts, and what all kinds have in common. */
export const LEVEL_CASES: readonly BackendCase[] = [
  {
    title: 'delivers a level once per cause',
    needs: ['level'],
    run: async (fixture) => {
      const { source, interruptOf, raise } = await ownLevel(fixture);
      source.enable();
      for (let round = 0; round < 3; round++) await interruptOf(raise);
      await fixture.quiet();
      expect(source.statistics).toMatchObject({ events: 3, handled: 3, notMine: 0 });
    },
  },
  {
    title: 'delivers a level that was there before anybody listened',
    needs: ['level'],
    run: async (fixture) => {
      const { source, interruptOf, raise } = await ownLevel(fixture);
      raise();
      await fixture.quiet();
      await interruptOf(() => source.enable());
      expect(source.statistics).toMatchObject({ events: 1, handled: 1 });
    },
  },
  {
    title: 'delivers a level again until its cause is cleared',
    needs: ['level'],
    run: async (fixture) => {
      let asked = 0;
      const { source, interruptOf, raise } = await ownLevel(fixture, (clear) => {
        if (++asked < 3) return 'not-mine';
        clear();
        return 'handled';
      });
      source.enable();
      await interruptOf(raise);
      await fixture.quiet();
      expect(asked).toBe(3);
      // A look of a poll that finds nothing is no event.
      const unwanted = source.trigger === 'polled' ? 0 : 2;
      expect(source.statistics).toMatchObject({ events: 1 + unwanted, handled: 1, notMine: unwanted });
    },
  },
  {
    title: 'holds a level back while the source is disabled',
    needs: ['level'],
    run: async (fixture) => {
      const { source, interruptOf, raise } = await ownLevel(fixture);
      source.enable();
      source.disable();
      raise();
      await fixture.quiet();
      expect(source.statistics.events).toBe(0);
      await interruptOf(() => source.enable());
      await fixture.quiet();
      expect(source.statistics.events).toBe(1);
    },
  },
  {
    title: 'stays silent when the handler disabled it, until it is enabled again',
    needs: ['level'],
    run: async (fixture) => {
      const { source, interruptOf, raise } = await ownLevel(fixture, (clear) => {
        clear();
        source.disable();
        return 'handled';
      });
      source.enable();
      await interruptOf(raise);
      raise();
      await fixture.quiet();
      expect(source.statistics.events).toBe(1);
      await interruptOf(() => source.enable());
      expect(source.statistics.events).toBe(2);
    },
  },
  {
    title: 'is not disturbed by observers that leave, throw or wait',
    needs: ['level'],
    run: async (fixture) => {
      const { source, interruptOf, raise } = await ownLevel(fixture);
      const counts: number[] = [];
      source.fired$.pipe(take(1)).subscribe();
      source.fired$.subscribe(({ count }) => {
        if (count === 1) throw new Error('a careless observer');
      });
      source.fired$.subscribe(({ count }) => counts.push(count));
      source.enable();
      const reported = await uncaughtDuring(() => interruptOf(raise));
      expect(reported).toEqual(new Error('a careless observer'));
      await interruptOf(raise);
      await fixture.quiet();
      expect(counts).toEqual([1, 2]);
      expect(source.statistics.events).toBe(2);
    },
  },
  {
    title: 'ends its interrupts with the device: who waits is told, fired$ completes',
    needs: ['level'],
    run: async (fixture) => {
      const { device, source } = await ownLevel(fixture);
      let completed = false;
      source.fired$.subscribe({
        complete: () => {
          completed = true;
        },
      });
      source.enable();
      const failed = rejection(() => interruptAfter(source, device.clock, LONG_US, () => {}));
      await fixture.settle(device.close());
      expect(await fixture.settle(failed)).toMatchObject({ code: 'gone' });
      await fixture.settle(source.closed);
      expect(completed).toBe(true);
    },
  },
  {
    title: 'ends its interrupts when the device is pulled out',
    needs: ['level', 'remove'],
    run: async (fixture) => {
      const { device, source } = await ownLevel(fixture);
      source.enable();
      const failed = rejection(() => interruptAfter(source, device.clock, LONG_US, () => {}));
      await required(fixture.remove, 'remove')();
      expect(await fixture.settle(failed)).toMatchObject({ code: 'gone' });
      expect(await fixture.settle(source.closed)).toBe(await fixture.settle(device.gone));
    },
  },
];

/** What rxjs reports as uncaught while `work` is done; it does so in a timer, also when `work` fails meanwhile. */
async function uncaughtDuring(work: () => Promise<unknown>): Promise<unknown> {
  const before = config.onUnhandledError;
  const reported = new Promise((resolve) => {
    config.onUnhandledError = resolve;
  });
  try {
    await work();
    return await reported;
  } catch (error) {
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
    throw error;
  } finally {
    config.onUnhandledError = before;
  }
}
