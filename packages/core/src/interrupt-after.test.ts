import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import type { InterruptSink } from './interrupt.ts';
import { interruptAfter } from './interrupt-after.ts';
import { InterruptSource } from './interrupt-source.ts';
import { ManualClock } from './testing/manual-clock.ts';

function setUp() {
  const clock = new ManualClock();
  let sink: InterruptSink | undefined;
  const line = {
    trigger: 'message' as const,
    listen: (to: InterruptSink) => {
      sink = to;
    },
    enable() {},
    disable() {},
    rearm() {},
  };
  const source = new InterruptSource('disk irq', line, clock);
  source.attach(() => 'handled');
  source.enable();
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  onTestFinished(() => void process.off('unhandledRejection', listener));
  const fireAfter = (us: number) => clock.after(us, () => sink?.event());
  return { clock, source, unhandled, fireAfter, gone: (reason: string) => sink?.gone(reason) };
}

it('resolves with the interrupt that the trigger caused, and leaves no timer', async () => {
  const { clock, source, fireAfter } = setUp();
  const interrupt = await clock.settle(interruptAfter(source, clock, 1000, () => fireAfter(30)));
  expect(interrupt).toEqual({ count: 1, atUs: 30 });
  expect(clock.scheduled).toBe(0);
});

it('does not miss an interrupt that is there before the trigger returns', async () => {
  const { clock, source, fireAfter } = setUp();
  fireAfter(5);
  const waiting = interruptAfter(source, clock, 1000, () => clock.spinNs(10_000));
  expect(await clock.settle(waiting)).toMatchObject({ count: 1 });
});

it('fails with timeout, counted from the trigger on, and nothing stays armed', async () => {
  const { clock, source, fireAfter, unhandled } = setUp();
  const late = clock.settle(interruptAfter(source, clock, 1000, () => clock.spinNs(500_000)));
  await expect(late).rejects.toMatchObject({ code: 'timeout', message: 'disk irq: no interrupt within 1 ms' });
  expect(clock.nowUs()).toBe(1500);
  expect(clock.scheduled).toBe(0);
  fireAfter(10);
  await clock.advance(100);
  expect(unhandled).toEqual([]);
});

it('says so when the source was not enabled', async () => {
  const { clock, source } = setUp();
  source.disable();
  const waiting = clock.settle(interruptAfter(source, clock, 1000, () => {}));
  await expect(waiting).rejects.toThrow('no interrupt within 1 ms; the source is not enabled, so none could come');
});

it('fails with what the trigger throws, and nothing stays armed', async () => {
  const { clock, source, gone, unhandled } = setUp();
  const broken = new RangeError('no such offset');
  const trigger = () => {
    throw broken;
  };
  await expect(interruptAfter(source, clock, 1000, trigger)).rejects.toBe(broken);
  expect(clock.scheduled).toBe(0);
  gone('pulled out');
  await clock.advance(1);
  expect(unhandled).toEqual([]);
});

it('fails with gone when the device goes while it waits', async () => {
  const { clock, source, gone } = setUp();
  const waiting = clock.settle(interruptAfter(source, clock, 1000, () => clock.after(10, () => gone('pulled out'))));
  await expect(waiting).rejects.toMatchObject({ code: 'gone' });
  expect(clock.scheduled).toBe(0);
});

it('does not touch a device that is gone', async () => {
  const { clock, source, gone } = setUp();
  gone('pulled out');
  let touched = false;
  const waiting = interruptAfter(source, clock, 1000, () => {
    touched = true;
  });
  await expect(waiting).rejects.toMatchObject({ code: 'gone' });
  expect(touched).toBe(false);
});

it('two who wait get the same interrupt', async () => {
  const { clock, source, fireAfter } = setUp();
  const first = interruptAfter(source, clock, 1000, () => fireAfter(20));
  const second = interruptAfter(source, clock, 1000, () => {});
  expect(await clock.settle(Promise.all([first, second]))).toEqual([
    { count: 1, atUs: 20 },
    { count: 1, atUs: 20 },
  ]);
});

it('a wait that nobody awaits, cancelled or not, is never an unhandled rejection', async () => {
  const { clock, source, gone, unhandled } = setUp();
  source.next().cancel(new Error('changed my mind'));
  source.next();
  gone('pulled out');
  await clock.advance(1);
  expect(unhandled).toEqual([]);
});
