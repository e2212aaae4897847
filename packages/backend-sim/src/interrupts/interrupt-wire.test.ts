import { InterruptSource, type Trigger, type Verdict } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { SimClock } from '../clock/sim-clock.ts';
import { DevicePin } from './device-pin.ts';
import { InterruptWire } from './interrupt-wire.ts';

const LATENCY_US = 2;

/** A wire with `count` devices; device `n` wants attention while `pending[n]` is true. */
function wired(trigger: Exclude<Trigger, 'polled'>, count = 1) {
  const clock = new SimClock('manual');
  const wire = new InterruptWire('IRQ 11', trigger, clock, LATENCY_US);
  const devices = Array.from({ length: count }, (_, index) => {
    const line = wire.connect(`device ${index}`, trigger);
    const pin = new DevicePin(wire, () => true);
    const source = new InterruptSource(`device ${index}`, line, clock);
    const atUs: number[] = [];
    /** Handles the interrupt as a driver does: is it mine, then clear the cause. */
    source.attach((interrupt) => {
      if (!pin.level && trigger === 'level') return 'not-mine';
      atUs.push(interrupt.atUs);
      pin.lower();
      return 'handled';
    });
    source.enable();
    return { line, pin, source, atUs };
  });
  const [first = fail(), second = fail()] = [devices[0], devices[1] ?? devices[0]];
  return { clock, wire, first, second, devices };
}

/** A driver's end that only does what `event` says. */
function listener(event: () => unknown) {
  return {
    event: (): Verdict => {
      event();
      return 'handled';
    },
    handledElsewhere: () => {},
    gone: () => {},
  };
}

function fail(): never {
  throw new Error('the fixture has no device');
}

describe('a level', () => {
  it('is delivered once for one cause, a latency later and never at once', async () => {
    const { clock, first } = wired('level');
    first.pin.raise();
    expect(first.source.statistics.events).toBe(0);
    await clock.advance(100);
    expect(first.atUs).toEqual([LATENCY_US]);
    expect(first.source.statistics.events).toBe(1);
  });

  it('is delivered again when it is still there at the rearm', async () => {
    const { clock, first } = wired('level');
    let asked = 0;
    const { line, pin } = first;
    line.listen(
      listener(() => {
        if (++asked === 3) pin.lower();
        line.rearm();
      }),
    );
    pin.raise();
    await clock.advance(100);
    expect(asked).toBe(3);
  });

  it('stays masked until it is re-armed', async () => {
    const { clock, first } = wired('level');
    let asked = 0;
    first.line.listen(listener(() => asked++));
    first.pin.raise();
    await clock.advance(1000);
    expect(asked).toBe(1);
    first.line.rearm();
    await clock.advance(1000);
    expect(asked).toBe(2);
  });

  it('that goes away before its delivery is no interrupt', async () => {
    const { clock, first } = wired('level');
    first.pin.raise();
    first.pin.lower();
    await clock.advance(100);
    expect(first.source.statistics.events).toBe(0);
  });

  it('that is there while the source is disabled comes after enable', async () => {
    const { clock, first } = wired('level');
    first.source.disable();
    first.pin.raise();
    await clock.advance(100);
    expect(first.atUs).toEqual([]);
    first.source.enable();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
  });

  it('of two devices on one wire reaches each, and the other passes it on (B6)', async () => {
    const { clock, first, second } = wired('level', 2);
    second.pin.raise();
    await clock.advance(100);
    expect(second.atUs).toHaveLength(1);
    expect(first.source.statistics).toMatchObject({ notMine: 1, handled: 0 });
    first.pin.raise();
    second.pin.raise();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
    expect(second.atUs).toHaveLength(2);
  });

  it('is there as long as anybody on the wire asserts it', () => {
    const { wire, first, second } = wired('level', 2);
    first.pin.raise();
    second.pin.raise();
    first.pin.lower();
    expect(wire.asserted).toBe(true);
    second.pin.lower();
    expect(wire.asserted).toBe(false);
  });

  it('starves neither of two busy devices on one wire (B6)', async () => {
    const { clock, first, second } = wired('level', 2);
    const keepBusy = ({ pin }: { readonly pin: DevicePin }) => {
      pin.raise();
      clock.afterInDevice(1, () => keepBusy({ pin }));
    };
    keepBusy(first);
    keepBusy(second);
    await clock.advance(500);
    expect(first.atUs.length).toBeGreaterThan(150);
    expect(Math.abs(first.atUs.length - second.atUs.length)).toBeLessThan(5);
  });

  it('of a busy device is no storm for its quiet neighbour (B6)', async () => {
    const { clock, first, second } = wired('level', 2);
    for (let event = 0; event < 1500; event++) {
      second.pin.raise();
      await clock.advance(5);
    }
    expect(second.atUs).toHaveLength(1500);
    expect(first.source.statistics).toMatchObject({ notMine: 1500, storms: 0 });
  });

  it('that nobody wants is masked and polled after 1000 events', async () => {
    const { clock, first, wire } = wired('level');
    wire.drive({}, true); // Somebody without a driver.
    await clock.advance(2500);
    expect(first.source.statistics).toMatchObject({ events: 1000, notMine: 1000, storms: 1 });
    await clock.advance(5000);
    expect(first.source.statistics.events).toBeLessThan(1010);
    first.pin.raise();
    await clock.advance(2000);
    expect(first.atUs).toHaveLength(1);
  });

  it('asks the neighbours all the same when one handler throws, and reports it', async () => {
    const { clock, first, second } = wired('level', 2);
    first.line.listen(
      listener(() => {
        throw new Error('handler failed');
      }),
    );
    second.pin.raise();
    await expect(clock.advance(100)).rejects.toThrow('handler failed');
    expect(second.atUs).toHaveLength(1);
  });
});

describe('an edge', () => {
  it('is one event, and two before the rearm are one event (B5)', async () => {
    const { clock, first } = wired('edge');
    first.pin.pulse();
    first.pin.pulse();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
    expect(first.line.statistics).toEqual({ delivered: 1, merged: 1 });
  });

  it('that comes while the handler runs is not lost (B5)', async () => {
    const { clock, first } = wired('edge');
    first.source.close();
    let pulses = 2;
    const second = new InterruptSource('again', first.line, clock);
    second.attach(() => {
      if (pulses-- > 0) first.pin.pulse();
      return 'handled';
    });
    second.enable();
    first.pin.pulse();
    await clock.advance(100);
    expect(second.statistics.handled).toBe(3);
  });

  it('that comes while the line waits for its rearm is delivered after it (B5)', async () => {
    const { clock, first } = wired('edge');
    let asked = 0;
    first.line.listen(listener(() => asked++));
    first.pin.pulse();
    await clock.advance(100);
    first.pin.pulse();
    first.pin.pulse();
    await clock.advance(100);
    expect(asked).toBe(1);
    first.line.rearm();
    await clock.advance(100);
    expect(asked).toBe(2);
  });

  it('is the rise of a pin that stays up; the fall is none', async () => {
    const { clock, first } = wired('edge');
    first.pin.raise();
    first.pin.raise();
    await clock.advance(100);
    first.pin.lower();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
  });

  it('is remembered while the source is disabled', async () => {
    const { clock, first } = wired('edge');
    first.source.disable();
    first.pin.pulse();
    await clock.advance(100);
    expect(first.atUs).toEqual([]);
    first.source.enable();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
  });
});

describe('a message', () => {
  it('is one event each', async () => {
    const { clock, first } = wired('message');
    for (let message = 0; message < 3; message++) first.pin.pulse();
    await clock.advance(100);
    expect(first.atUs).toEqual([2, 4, 6]);
  });

  it('is remembered once while the vector is masked', async () => {
    const { clock, first } = wired('message');
    first.source.disable();
    for (let message = 0; message < 3; message++) first.pin.pulse();
    first.source.enable();
    await clock.advance(100);
    expect(first.atUs).toHaveLength(1);
  });
});

it('observers cannot disturb the line: it is re-armed once per event, by its owner (B7)', async () => {
  const { clock, first } = wired('level');
  let rearmed = 0;
  const rearm = first.line.rearm.bind(first.line);
  first.line.rearm = () => {
    rearmed++;
    rearm();
  };
  const seen: string[] = [];
  first.source.fired$.subscribe(() => seen.push('every'));
  const once = first.source.fired$.subscribe(() => {
    seen.push('once');
    once.unsubscribe();
  });
  for (let event = 0; event < 3; event++) {
    first.pin.raise();
    await clock.advance(100);
  }
  expect(seen).toEqual(['every', 'once', 'every', 'every']);
  expect(rearmed).toBe(3);
});

it('refuses a second trigger on one wire and names who uses it', () => {
  const { wire } = wired('level');
  expect(() => wire.connect('newcomer', 'edge')).toThrow(
    'newcomer cannot have IRQ 11 as edge: device 0 uses it as level',
  );
});

it('says for a stuck simulation what it looks like', () => {
  const { wire, first } = wired('level', 2);
  first.source.disable();
  first.pin.raise();
  expect(String(wire)).toBe('IRQ 11, level, asserted: device 0 disabled, device 1 enabled');
});
