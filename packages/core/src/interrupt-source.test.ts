import { config, take } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Interrupt, InterruptHandler, InterruptLine, InterruptSink, Trigger, Verdict } from './interrupt.ts';
import { InterruptSource } from './interrupt-source.ts';
import type { Logger } from './log.ts';
import { ManualClock } from './testing/manual-clock.ts';

/** A line that writes down what is done to it, and checks that it is done in turn. */
class RecordingLine implements InterruptLine {
  readonly calls: string[] = [];
  sink: InterruptSink | undefined;
  readonly trigger: Trigger;

  constructor(trigger: Trigger) {
    this.trigger = trigger;
  }

  listen(sink: InterruptSink): void {
    this.sink = sink;
  }
  enable(): void {
    this.calls.push('enable');
  }
  disable(): void {
    this.calls.push('disable');
  }
  rearm(): void {
    this.calls.push('rearm');
  }
  fire(missed?: number): Verdict | undefined {
    this.calls.push('event');
    return this.sink?.event(missed);
  }
}

function setUp({
  trigger = 'level',
  handler = () => 'handled',
}: {
  trigger?: Trigger;
  handler?: InterruptHandler;
} = {}) {
  const clock = new ManualClock();
  const line = new RecordingLine(trigger);
  const warnings: string[] = [];
  const log: Logger = { debug() {}, info() {}, warn: (message) => warnings.push(message), error() {} };
  const source = new InterruptSource('disk irq', line, clock, log);
  const detach = source.attach((interrupt) => {
    line.calls.push('handler');
    return handler(interrupt);
  });
  const since = () => line.calls.splice(0);
  const fire = (times: number) => {
    for (let i = 0; i < times; i++) line.fire();
  };
  return { clock, line, source, detach, since, fire, warnings };
}

describe('InterruptSource re-arms', () => {
  it.each([
    ['level', ['event', 'handler', 'rearm']],
    ['edge', ['event', 'rearm', 'handler']],
    ['message', ['event', 'handler']],
    ['polled', ['event', 'handler']],
  ] as const)('a %s line in the order %j', (trigger, order) => {
    const { source, line, since } = setUp({ trigger });
    source.enable();
    since();
    line.fire();
    expect(since()).toEqual(order);
    line.fire();
    expect(since()).toEqual(order);
  });

  it('also when the owner did not want the event', () => {
    const { source, line, since } = setUp({ handler: () => 'not-mine' });
    source.enable();
    expect(line.fire()).toBe('not-mine');
    expect(since()).toEqual(['enable', 'event', 'handler', 'rearm']);
  });

  it('not when the handler disabled the line, until it is enabled again', () => {
    const { source, line, since } = setUp({
      handler: () => {
        source.disable();
        return 'handled';
      },
    });
    source.enable();
    line.fire();
    expect(since()).toEqual(['enable', 'event', 'handler', 'disable']);
    source.enable();
    expect(since()).toEqual(['enable']);
  });

  it('not twice when the handler disabled and enabled the line', () => {
    const { source, line, since } = setUp({
      handler: () => {
        source.disable();
        source.enable();
        return 'handled';
      },
    });
    source.enable();
    line.fire();
    expect(since()).toEqual(['enable', 'event', 'handler', 'disable', 'enable']);
  });

  it('not after the handler closed the source', () => {
    const { source, line, since } = setUp({
      handler: () => {
        source.close();
        return 'handled';
      },
    });
    source.enable();
    line.fire();
    expect(since()).toEqual(['enable', 'event', 'handler', 'disable']);
  });
});

describe('InterruptSource masks', () => {
  it('nothing is delivered before enable and after disable', () => {
    const { source, line, since } = setUp();
    line.fire();
    source.enable();
    source.enable();
    source.disable();
    source.disable();
    line.fire();
    expect(since()).toEqual(['event', 'enable', 'disable', 'event']);
    expect(source.statistics.events).toBe(0);
  });

  it('enable needs an owner, who would clear the cause', () => {
    const source = new InterruptSource('disk irq', new RecordingLine('level'), new ManualClock());
    expect(() => source.enable()).toThrow('disk irq: attach a handler before enable()');
  });

  it('one owner at a time; detaching masks and makes room', () => {
    const { source, detach, since } = setUp();
    expect(() => source.attach(() => 'handled')).toThrow(expect.objectContaining({ code: 'busy' }));
    source.enable();
    detach();
    expect(since()).toEqual(['enable', 'disable']);
    const handler: InterruptHandler = () => 'handled';
    const detachSecond = source.attach(handler);
    detach();
    source.enable();
    expect(source.enabled).toBe(true);
    detachSecond();
    const detachThird = source.attach(handler);
    detachSecond();
    expect(() => source.attach(handler)).toThrow('has an owner already');
    detachThird();
  });

  it('a handler that throws loses its line, and who waits hears of it', async () => {
    const broken = new Error('null pointer');
    const { source, line, since } = setUp({
      handler: () => {
        throw broken;
      },
    });
    source.enable();
    const { interrupt } = source.next();
    expect(() => line.fire()).toThrow(broken);
    expect(since()).toEqual(['enable', 'event', 'handler', 'disable']);
    await expect(interrupt).rejects.toBe(broken);
  });
});

describe('InterruptSource tells observers', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  it('what was handled, counted from 1, with the time', async () => {
    const verdicts: Verdict[] = ['handled', 'not-mine', 'handled'];
    const { clock, source, line } = setUp({ trigger: 'message', handler: () => verdicts.shift() ?? 'handled' });
    const seen: Interrupt[] = [];
    source.fired$.subscribe((interrupt) => seen.push(interrupt));
    source.enable();
    line.fire();
    await clock.advance(70);
    line.fire();
    line.fire(4);
    expect(seen).toEqual([
      { count: 1, atUs: 0 },
      { count: 3, atUs: 70, missed: 4 },
    ]);
    expect(source.statistics).toEqual({ events: 3, handled: 2, notMine: 1, storms: 0 });
  });

  it('without letting them disturb: some leave, some throw, the line goes on', async () => {
    const reported = new Promise((resolve) => {
      config.onUnhandledError = resolve;
    });
    const { source, line, since } = setUp();
    const counts: number[] = [];
    source.fired$.pipe(take(1)).subscribe();
    source.fired$.subscribe(({ count }) => {
      if (count === 1) throw new Error('a careless observer');
    });
    source.fired$.subscribe(({ count }) => counts.push(count));
    source.enable();
    since();
    line.fire();
    line.fire();
    expect(counts).toEqual([1, 2]);
    expect(since()).toEqual(['event', 'handler', 'rearm', 'event', 'handler', 'rearm']);
    expect(await reported).toEqual(new Error('a careless observer'));
  });

  it('that the device is gone: fired$ completes, closed says why, waiters fail', async () => {
    const { source, line } = setUp();
    let completed = 0;
    source.fired$.subscribe({ complete: () => completed++ });
    source.enable();
    const { interrupt } = source.next();
    line.sink?.gone('pulled out');
    line.sink?.gone('a second time');
    expect(await source.closed).toBe('pulled out');
    await expect(interrupt).rejects.toMatchObject({ code: 'gone', message: expect.stringContaining('pulled out') });
    source.fired$.subscribe({ complete: () => completed++ });
    expect(completed).toBe(2);
    expect(() => source.next()).toThrow(expect.objectContaining({ code: 'gone' }));
    source.enable();
    expect(line.calls).toEqual(['enable']);
  });

  it('nothing by way of console.log', () => {
    const { source } = setUp({ trigger: 'edge' });
    expect(String(source)).toBe('InterruptSource disk irq, edge, 0 events');
  });
});

describe('InterruptSource and a line that is stuck', () => {
  const stuck = () => setUp({ handler: () => 'not-mine' });

  it('masks it after 1000 events in a row that nobody wanted, and says so', () => {
    const { source, since, fire, warnings } = stuck();
    source.enable();
    fire(999);
    expect(source.statistics.storms).toBe(0);
    since();
    fire(1);
    expect(since()).toEqual(['event', 'handler', 'disable']);
    expect(source.statistics.storms).toBe(1);
    expect(warnings).toEqual([
      'disk irq: 1000 interrupts in a row that nobody wanted; masked and polled, tried again in 10 ms',
    ]);
  });

  it('asks the owner every millisecond meanwhile, then tries the line again', async () => {
    const { clock, source, since, fire } = stuck();
    source.enable();
    fire(1000);
    since();
    await clock.advance(9_500);
    expect(since()).toEqual(Array(9).fill('handler'));
    expect(source.statistics).toMatchObject({ events: 1000, notMine: 1000 });
    await clock.advance(500);
    expect(since()).toEqual(['enable']);
    expect(clock.scheduled).toBe(0);
    fire(999);
    expect(source.statistics.storms).toBe(1);
  });

  it('tries the line again even when the owner threw meanwhile', async () => {
    let healthy = true;
    const { clock, source, since, fire } = setUp({
      handler: () => {
        if (healthy) return 'not-mine';
        throw new Error('null pointer');
      },
    });
    source.enable();
    fire(1000);
    healthy = false;
    await expect(clock.advance(1000)).rejects.toThrow('null pointer');
    healthy = true;
    source.enable();
    since();
    await clock.advance(9000);
    expect(since().at(-1)).toBe('enable');
  });

  it('finds the work that is there by asking', async () => {
    const verdicts: Verdict[] = Array(1000).fill('not-mine');
    const { clock, source, fire } = setUp({ handler: () => verdicts.shift() ?? 'handled' });
    source.enable();
    fire(1000);
    const { interrupt } = source.next();
    await clock.advance(1000);
    expect(await interrupt).toEqual({ count: 1001, atUs: 1000 });
  });

  it('waits twice as long each time, up to a second, and reports it once a minute', async () => {
    const { clock, source, line, since, fire, warnings } = stuck();
    source.enable();
    const pauses: number[] = [];
    for (let storm = 0; storm < 9; storm++) {
      since();
      fire(1000);
      const start = clock.nowUs();
      while (!line.calls.includes('enable')) await clock.advance(1000);
      pauses.push((clock.nowUs() - start) / 1000);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    expect(warnings).toHaveLength(1);
    await clock.advance(60_000_000);
    fire(1000);
    expect(warnings).toHaveLength(2);
  });

  it('leaves it masked when it was disabled meanwhile', async () => {
    const { clock, source, since, fire } = stuck();
    source.enable();
    fire(1000);
    source.disable();
    since();
    await clock.advance(20_000);
    expect(since()).toEqual([]);
    source.enable();
    expect(since()).toEqual(['enable']);
  });

  it('does not unmask it early when it is disabled and enabled meanwhile', async () => {
    const { clock, source, since, fire } = stuck();
    source.enable();
    fire(1000);
    since();
    source.disable();
    source.enable();
    expect(since()).toEqual([]);
    await clock.advance(10_000);
    expect(since().filter((call) => call !== 'handler')).toEqual(['enable']);
  });

  it('leaves nothing scheduled when it is closed meanwhile', () => {
    const { clock, source, fire } = stuck();
    source.enable();
    fire(1000);
    source.close();
    expect(clock.scheduled).toBe(0);
  });

  it('starts to count anew whenever somebody wants an event, here or elsewhere on a shared line', () => {
    const { line, source, fire } = stuck();
    source.enable();
    for (let round = 0; round < 3; round++) {
      fire(999);
      line.sink?.handledElsewhere();
    }
    expect(source.statistics.storms).toBe(0);
  });

  it('is not what a polled source is, which asks in vain most of the time', () => {
    const { source, fire } = setUp({ trigger: 'polled', handler: () => 'not-mine' });
    source.enable();
    fire(5000);
    expect(source.statistics).toEqual({ events: 0, handled: 0, notMine: 0, storms: 0 });
  });
});
