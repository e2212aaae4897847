import { InterruptSource, type Verdict } from '@ring3/core';
import { ManualClock } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { turns } from '../test-machine.ts';
import { InterruptWire } from './interrupt-wire.ts';

/** A wire with a source on it, whose owner says what `verdict` says. */
function bench(trigger: 'level' | 'edge', asserted = () => false) {
  const wire = new InterruptWire('line 10', { isAsserted: asserted });
  const open = (verdict: () => Verdict) => {
    const line = wire.connect('test', trigger);
    const source = new InterruptSource('test', line, new ManualClock());
    source.attach(() => verdict());
    return { line, source };
  };
  return { wire, open };
}

it('delivers a level in a turn of its own, again until it is gone', async () => {
  const { wire, open } = bench('level');
  let asked = 0;
  const { source } = open(() => {
    if (++asked === 3) wire.change(false);
    return 'handled';
  });
  source.enable();
  wire.change(true);
  expect(asked).toBe(0);
  await turns(10);
  expect(asked).toBe(3);
});

it('asks the device for a level that was there before the connection', async () => {
  let level = true;
  const { open } = bench('level', () => level);
  const { source } = open(() => {
    level = false;
    return 'handled';
  });
  source.enable();
  await turns(10);
  expect(source.statistics.events).toBe(1);
});

it('asks everybody on a line, and tells those who did not want it that somebody did', async () => {
  const { wire, open } = bench('level');
  const mine = open(() => {
    wire.change(false);
    return 'handled';
  });
  const other = open(() => 'not-mine');
  mine.source.enable();
  other.source.enable();
  wire.change(true);
  await turns(10);
  expect(mine.source.statistics).toMatchObject({ events: 1, handled: 1 });
  expect(other.source.statistics).toMatchObject({ notMine: 1, storms: 0 });
});

it('remembers one edge while it is disabled, and none that came before', async () => {
  const { wire, open } = bench('edge');
  wire.change(true);
  wire.change(false);
  const { source } = open(() => 'handled');
  source.enable();
  await turns(5);
  expect(source.statistics.events).toBe(0);
  source.disable();
  for (let edge = 0; edge < 3; edge++) {
    wire.change(true);
    wire.change(false);
  }
  source.enable();
  await turns(5);
  expect(source.statistics.events).toBe(1);
});

it('delivers nothing to a line that has ended', async () => {
  const { wire, open } = bench('level');
  const { line, source } = open(() => 'handled');
  source.enable();
  wire.change(true);
  line.end('QEMU ended');
  await turns(5);
  expect(source.statistics.events).toBe(0);
  expect(await source.closed).toBe('QEMU ended');
});
