import { sleep } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { NODE_TIME } from './real-time.ts';
import { SimClock } from './sim-clock.ts';

const never = new Promise<never>(() => {});

function logged(clock: SimClock) {
  const log: string[] = [];
  return { log, at: (us: number, what: string) => clock.after(us, () => log.push(`${what}@${clock.nowUs()}`)) };
}

describe('instant', () => {
  it('jumps from event to event, in order', async () => {
    const clock = new SimClock();
    const { log, at } = logged(clock);
    at(10_000_000, 'late');
    at(5, 'early');
    at(5, 'early too');
    at(7, 'cancelled').cancel();
    const started = NODE_TIME.nowMs();
    await sleep(clock, 10_000_000);
    expect(log).toEqual(['early@5', 'early too@5', 'late@10000000']);
    expect(NODE_TIME.nowMs() - started).toBeLessThan(50);
  });

  it('lets all continuations of one event run before the next', async () => {
    const clock = new SimClock();
    const log: string[] = [];
    const chain = async () => {
      await sleep(clock, 5);
      for (let step = 0; step < 20; step++) await Promise.resolve();
      log.push('continuation');
    };
    const done = chain();
    clock.after(5, () => log.push('next event'));
    await clock.run(Promise.all([done, sleep(clock, 6)]));
    expect(log).toEqual(['continuation', 'next event']);
  });

  it('fails at once when nothing is scheduled, and says who waits and why', async () => {
    const clock = new SimClock();
    clock.explain(() => ['interrupt IRQ 14 is quiet']);
    await sleep(clock, 1500);
    const started = NODE_TIME.nowMs();
    await expect(clock.run(never)).rejects.toThrow(
      'nothing is scheduled: at 1.5 ms of simulated time 1 promise is waited for, no event is pending and nothing is held\n' +
        '  interrupt IRQ 14 is quiet',
    );
    expect(NODE_TIME.nowMs() - started).toBeLessThan(50);
  });

  it('gives a program some turns to think before it calls it stuck', async () => {
    const clock = new SimClock();
    const thinking = (async () => {
      for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => void NODE_TIME.soon(resolve));
      await sleep(clock, 3);
      return clock.nowUs();
    })();
    await expect(clock.run(thinking)).resolves.toBe(3);
  });

  it('stands still while something is held, and is not stuck', async () => {
    const clock = new SimClock();
    let release = () => {};
    clock.hold('sync', new Promise<void>((resolve) => (release = resolve)));
    const deadline = clock.run(sleep(clock, 100).then(() => 'time passed'));
    for (let turn = 0; turn < 30; turn++) await new Promise<void>((resolve) => void NODE_TIME.soon(resolve));
    expect(clock.nowUs()).toBe(0);
    expect(String(clock)).toContain('held by sync');
    release();
    await expect(deadline).resolves.toBe('time passed');
  });

  it('reports work that fails while it is held', async () => {
    const clock = new SimClock();
    clock.hold('sync', Promise.reject(new Error('disk full')));
    await expect(clock.run(never)).rejects.toThrow('disk full');
  });

  it('hands what a callback throws to who drives it, and goes on', async () => {
    const clock = new SimClock();
    const { log, at } = logged(clock);
    clock.after(1, () => {
      throw new Error('handler failed');
    });
    at(2, 'next');
    await expect(clock.run(never)).rejects.toThrow('handler failed');
    await clock.run(sleep(clock, 10));
    expect(log).toEqual(['next@2']);
  });

  it('refuses times that cannot be', () => {
    const clock = new SimClock();
    expect(() => clock.after(Number.NaN, () => {})).toThrow(RangeError);
    expect(() => clock.after(Number.POSITIVE_INFINITY, () => {})).toThrow(RangeError);
  });

  it('schedules nothing after close, and tells who waits', async () => {
    const clock = new SimClock();
    const waiting = clock.run(never);
    clock.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    expect(() => clock.after(1, () => {})).toThrow(/closed/);
  });
});

describe('while an access takes its time', () => {
  it('lets devices work and the program wait', async () => {
    const clock = new SimClock('manual');
    const log: string[] = [];
    clock.afterInDevice(3, () => {
      log.push(`device@${clock.nowUs()}`);
      clock.afterInDevice(1, () => log.push(`device again@${clock.nowUs()}`));
    });
    clock.after(2, () => log.push(`program@${clock.nowUs()}`));
    clock.pass(10_000);
    log.push(`access done@${clock.nowUs()}`);
    await clock.advance(0);
    expect(log).toEqual(['device@3', 'device again@4', 'access done@10', 'program@10']);
  });

  it('sees time pass in a driver that polls without giving up the processor', () => {
    const clock = new SimClock();
    let ready = false;
    clock.afterInDevice(400, () => {
      ready = true;
    });
    let polls = 0;
    for (; !ready && polls < 10_000; polls++) clock.spinNs(1000);
    expect(polls).toBe(400);
  });

  it('does not let the access catch what a device throws', async () => {
    const clock = new SimClock();
    clock.afterInDevice(1, () => {
      throw new Error('model is broken');
    });
    const run = clock.run(never);
    expect(() => clock.pass(5000)).not.toThrow();
    await expect(run).rejects.toThrow('model is broken');
  });

  it('leaps only where no device does anything', () => {
    const clock = new SimClock('manual');
    clock.afterInDevice(10, () => {});
    expect(clock.leap(10_000)).toBe(false);
    expect(clock.leap(9_999)).toBe(true);
    clock.takeBack(9_999);
    expect(clock.nowUs()).toBe(0);
  });
});

describe('manual', () => {
  it('moves only when told, and awaits continuations in between', async () => {
    const clock = new SimClock('manual');
    const log: number[] = [];
    const looping = (async () => {
      for (;;) {
        await sleep(clock, 10);
        log.push(clock.nowUs());
      }
    })();
    void looping;
    await new Promise<void>((resolve) => void NODE_TIME.soon(resolve));
    expect(log).toEqual([]);
    await clock.advance(35);
    expect(log).toEqual([10, 20, 30]);
    expect(clock.nowUs()).toBe(35);
    expect(await clock.step()).toBe(true);
    expect(clock.nowUs()).toBe(40);
  });

  it('says when there is no next event', async () => {
    expect(await new SimClock('manual').step()).toBe(false);
  });

  it('moves by itself while something is run', async () => {
    const clock = new SimClock('manual');
    await clock.run(sleep(clock, 1_000_000));
    expect(clock.nowUs()).toBe(1_000_000);
  });

  it('passes on what a callback throws', async () => {
    const clock = new SimClock('manual');
    clock.after(1, () => {
      throw new Error('handler failed');
    });
    await expect(clock.advance(5)).rejects.toThrow('handler failed');
  });

  it('is refused on a clock that moves by itself', async () => {
    await expect(new SimClock('instant').advance(1)).rejects.toThrow('moves by itself');
  });
});
