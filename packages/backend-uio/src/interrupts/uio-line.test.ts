import { join } from 'node:path';
import { InterruptSource, isDeviceError, type Logger, SILENT, SystemClock, type Trigger } from '@ring3/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PciConfigSpace } from '../pci-config-space.ts';
import { FakeMachine } from '../testing/fake-machine.ts';
import { type FakeDriver, FakeUio } from '../testing/fake-uio.ts';
import { AutomaticControl } from './interrupt-control.ts';
import { UioLine } from './uio-line.ts';

interface Options {
  readonly trigger?: Trigger;
  readonly total?: number;
  readonly countsWhileMasked?: boolean;
  readonly config?: PciConfigSpace;
  readonly log?: Logger;
}

/** A line of a fake node, with an owner that says `handled` and lets go of the level. */
function start(driver: FakeDriver, options: Options = {}) {
  const { trigger = 'level', total = 0, countsWhileMasked = trigger === 'message', log = SILENT } = options;
  const uio = new FakeUio(driver, total);
  const events = uio.open();
  const control = new AutomaticControl('uio', events, options.config);
  const lost: string[] = [];
  const line = new UioLine({
    name: 'uio',
    trigger,
    events,
    control,
    total,
    countsWhileMasked,
    log,
    lost: (reason) => {
      lost.push(reason);
      line.end(reason);
    },
  });
  const source = new InterruptSource('uio', line, new SystemClock(), log);
  const missed: (number | undefined)[] = [];
  source.attach((interrupt) => {
    missed.push(interrupt.missed);
    uio.assert(false);
    return 'handled';
  });
  onTestFinished(() => {
    line.close();
    events.close();
    uio.close();
  });
  return { uio, line, source, lost, missed };
}

function turns(count = 20): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number) => (left === 0 ? resolve() : void setImmediate(() => next(left - 1)));
    next(count);
  });
}

describe('the count', () => {
  it.each([
    ['becomes negative', 0x7fff_fffc],
    ['begins anew', 0xffff_fffc],
    ['has become negative already', 0x8000_0000],
  ])('goes on when it %s, a few events at once', async (_what, total) => {
    const { uio, source, missed } = start({ kind: 'counting' }, { trigger: 'message', total });
    source.enable();
    for (const events of [1, 2, 3, 4]) {
      for (let event = 0; event < events; event++) uio.pulse();
      await turns();
    }
    expect(missed).toEqual([undefined, 1, 2, 3]);
  });

  it('goes on from what sysfs says, which has no sign', async () => {
    const { uio, source, missed } = start({ kind: 'counting' }, { trigger: 'message', total: 0xffff_fff0 });
    source.enable();
    for (let event = 0; event < 3; event++) uio.pulse();
    await turns();
    expect(missed).toEqual([2]);
  });

  it('means nothing where the kernel masks at each event', async () => {
    const { uio, source, missed } = start({ kind: 'masking' });
    source.enable();
    uio.total += 5;
    uio.assert(true);
    await turns();
    expect(missed).toEqual([undefined]);
  });

  it('counts while masked where the configuration says so', async () => {
    const { uio, source, missed } = start({ kind: 'masking' }, { countsWhileMasked: true });
    source.enable();
    uio.total += 5;
    uio.assert(true);
    await turns();
    expect(missed).toEqual([5]);
  });
});

describe('the first wait', () => {
  it('finds a line that fired before the node was opened, and was masked then', async () => {
    const { uio, source } = start({ kind: 'masking' });
    uio.control(true);
    uio.assert(true);
    uio.total = 0; // As a node that is opened now sees it: nothing new.
    expect(uio.masked).toBe(true);
    source.enable();
    await turns();
    expect(source.statistics.handled).toBe(1);
  });

  it('does not deliver what a level has counted before', async () => {
    const { uio, source } = start({ kind: 'masking' });
    uio.assert(true);
    uio.assert(false);
    await turns();
    source.enable();
    await turns();
    expect(source.statistics.events).toBe(0);
    uio.assert(true);
    await turns();
    expect(source.statistics.handled).toBe(1);
  });

  it('delivers an edge that came between opening and enabling', async () => {
    const uio = new FakeUio({ kind: 'masking' });
    const events = uio.open();
    uio.pulse();
    const control = new AutomaticControl('uio', events, undefined);
    const parts = { name: 'uio', trigger: 'edge' as const, events, control, total: 0, log: SILENT };
    const line = new UioLine({ ...parts, countsWhileMasked: false, lost: () => {} });
    const source = new InterruptSource('uio', line, new SystemClock());
    source.attach(() => 'handled');
    source.enable();
    await turns();
    expect(source.statistics.handled).toBe(1);
    line.close();
    events.close();
  });
});

describe.skipIf(process.platform !== 'linux')('a line without irqcontrol', () => {
  let machine: FakeMachine;
  let config: PciConfigSpace;
  let file: string;
  beforeEach(() => {
    machine = new FakeMachine();
    file = join(machine.pci(), 'config');
    config = new PciConfigSpace(file);
  });
  afterEach(() => {
    config.close();
    machine.close();
  });

  it('is masked in the command register, of which nothing else changes', async () => {
    const { uio, source } = start({ kind: 'generic', config: file }, { config });
    expect(config.read16(4)).toBe(0x0103);
    source.enable();
    source.disable();
    expect(config.read16(4)).toBe(0x0503);
    source.enable();
    expect(config.read16(4)).toBe(0x0103);
    for (let round = 1; round <= 3; round++) {
      uio.assert(true);
      await turns();
      expect(source.statistics.handled).toBe(round);
    }
    expect(config.read16(4)).toBe(0x0103);
  });

  it('is masked by writes of the whole command register, since QEMU 7.2 loses a line otherwise', () => {
    const writes: number[][] = [];
    const watched = new Proxy(config, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...values: number[]) => {
          if (key.toString().startsWith('write')) writes.push([Number(key.toString().slice(5)), ...values]);
          return value.apply(target, values);
        };
      },
    });
    const { source } = start({ kind: 'generic', config: file }, { config: watched });
    source.enable();
    source.disable();
    expect(writes).toEqual([
      [16, 4, 0x0103],
      [16, 4, 0x0503],
    ]);
  });

  it('says at once that it cannot be unmasked under lockdown', () => {
    const { source } = start({ kind: 'generic', config: file }, { config: lockedDown(config) });
    expect(() => source.enable()).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining('locked down') }),
    );
  });

  it('ends with the reason when the kernel is locked down after the first interrupt', async () => {
    let locked = false;
    const log: string[] = [];
    const logger = { ...SILENT, error: (text: string) => log.push(text) };
    const late = lockedDown(config, () => locked);
    const { uio, source, lost } = start({ kind: 'generic', config: file }, { config: late, log: logger });
    source.enable();
    locked = true;
    uio.assert(true);
    expect(await source.closed).toContain('locked down');
    expect(log).toEqual([expect.stringContaining('no more interrupts')]);
    expect(lost, 'the device itself is still there').toEqual([]);
    const refused = (() => {
      try {
        source.next();
        return undefined;
      } catch (error) {
        return error;
      }
    })();
    expect(isDeviceError(refused, 'gone') && refused.message).toContain('locked down');
  });

  it('is left alone where there is no command register either', async () => {
    const { uio, source } = start({ kind: 'counting' }, { trigger: 'message' });
    source.enable();
    source.disable();
    uio.pulse();
    await turns();
    expect(source.statistics.events).toBe(0);
    source.enable();
    await turns();
    expect(source.statistics.events).toBe(1);
  });
});

/** Configuration space whose writes the kernel refuses as under lockdown, with EPERM. */
function lockedDown(config: PciConfigSpace, when = () => true): PciConfigSpace {
  return new Proxy(config, {
    get: (target, key) => {
      if (key === 'write16' && when()) {
        return () => {
          throw Object.assign(new Error('x'), {
            name: 'DeviceError',
            code: 'permission',
            message: 'the kernel is locked down',
          });
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a node', () => {
  it('without an interrupt is refused, and nobody spins', () => {
    expect(() => start({ kind: 'none' })).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('without an interrupt') }),
    );
  });

  it('that is unregistered ends its source while somebody waits', async () => {
    const { uio, source, lost } = start({ kind: 'masking' });
    source.enable();
    uio.unregister();
    expect(await source.closed).toContain('unbound');
    expect(lost).toHaveLength(1);
  });

  it('that is unregistered while the handler runs says so when it is re-armed', async () => {
    const { uio, source, lost } = start({ kind: 'masking' });
    source.enable();
    source.fired$.subscribe(() => uio.unregister());
    uio.assert(true);
    expect(await source.closed).toContain('unbound');
    expect(lost).toHaveLength(1);
  });

  it('that refuses to be masked for another reason ends with that reason', async () => {
    const { uio, source } = start({ kind: 'masking' });
    source.enable();
    uio.refuseControl = 'EBUSY';
    uio.assert(true);
    expect(await source.closed).toContain('EBUSY');
  });

  it('delivers nothing from inside enable() and disable()', async () => {
    const { uio, source } = start({ kind: 'masking' });
    uio.assert(true);
    source.enable();
    expect(source.statistics.events).toBe(0);
    source.disable();
    expect(source.statistics.events).toBe(0);
    await turns();
    expect(source.statistics.events).toBe(0);
  });
});
