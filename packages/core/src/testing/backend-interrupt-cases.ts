import { expect } from 'vitest';
import { interruptAfter } from '../interrupt-after.ts';
import {
  type BackendCase,
  type BackendFixture,
  type LevelInterrupt,
  type Opened,
  openDevice,
  openInterrupt,
} from './backend-harness.ts';
import { LONG_US } from './backend-level-cases.ts';
import { required } from './conformance.ts';

const EDGE_CASES: readonly BackendCase[] = [
  {
    title: 'delivers each edge',
    needs: ['edge'],
    run: async (fixture) => {
      const { raise, work, source, quiet } = await ownEdge(fixture);
      source.enable();
      for (let round = 1; round <= 3; round++) {
        raise();
        await quiet();
        expect(work.done).toBe(round);
      }
      expect(source.statistics.events).toBe(3);
    },
  },
  {
    title: 'loses no work when edges come faster than the owner looks',
    needs: ['edge'],
    run: async (fixture) => {
      const { raise, work, source, quiet } = await ownEdge(fixture);
      source.enable();
      for (let round = 0; round < 5; round++) raise();
      await quiet();
      expect(work.done).toBe(5);
    },
  },
  {
    title: 'loses no edge that comes while the owner works',
    needs: ['edge'],
    run: async (fixture) => {
      const { raise, work, source, quiet } = await ownEdge(fixture);
      work.after = () => {
        if (work.done === 1) raise();
      };
      source.enable();
      raise();
      await quiet();
      expect(work.done).toBe(2);
    },
  },
  {
    title: 'remembers an edge while the source is disabled',
    needs: ['edge'],
    run: async (fixture) => {
      const { raise, work, source, quiet } = await ownEdge(fixture);
      source.enable();
      source.disable();
      raise();
      await quiet();
      expect(work.done).toBe(0);
      source.enable();
      await quiet();
      expect(work.done).toBe(1);
    },
  },
];

/** The edge interrupt with an owner that drains the device, and then does what `work.after` says. */
async function ownEdge(fixture: BackendFixture) {
  const edge = required(fixture.edge, 'edge');
  const opened = await openDevice(fixture);
  const source = await openInterrupt(opened, edge.index);
  const work = { done: 0, after: () => {} };
  source.attach(() => {
    while (edge.take(opened.spaces)) work.done++;
    work.after();
    return 'handled';
  });
  return { source, work, raise: () => edge.raise(opened.spaces), quiet: fixture.quiet };
}

const MESSAGE_CASES: readonly BackendCase[] = [
  {
    title: 'counts every message',
    needs: ['message'],
    run: async (fixture) => {
      const message = required(fixture.message, 'message');
      const opened = await openDevice(fixture);
      const source = await openInterrupt(opened, message.index);
      let counted = 0;
      source.attach(({ missed }) => {
        counted += 1 + (missed ?? 0);
        return 'handled';
      });
      source.enable();
      message.send(opened.spaces);
      await fixture.quiet();
      expect(counted).toBe(1);
      for (let round = 0; round < 4; round++) message.send(opened.spaces);
      await fixture.quiet();
      expect(counted).toBe(5);
    },
  },
];

/** More than a line is allowed to fire in vain. */
const MANY = 1100;

const SHARED_CASES: readonly BackendCase[] = [
  {
    title: 'lets two devices share a line: a busy one neither starves the other nor makes it look stuck',
    needs: ['level', 'shared-line'],
    run: async (fixture) => {
      const level = required(fixture.level, 'level');
      const neighbour = required(fixture.neighbour, 'neighbour');
      const busy = await share(fixture, await openDevice(fixture), level);
      const calm = await share(fixture, await openDevice(fixture, neighbour.selector), neighbour.level);
      for (let round = 0; round < MANY; round++) await busy.interrupt();
      await calm.interrupt();
      await busy.interrupt();
      expect(busy.source.statistics).toMatchObject({ handled: MANY + 1, storms: 0 });
      expect(calm.source.statistics).toMatchObject({ handled: 1, storms: 0 });
    },
  },
];

/** An owner on a shared line, who knows which causes are his. */
async function share(fixture: BackendFixture, opened: Opened, level: LevelInterrupt) {
  const source = await openInterrupt(opened, level.index);
  let mine = false;
  source.attach(() => {
    if (!mine) return 'not-mine';
    mine = false;
    level.clear(opened.spaces);
    return 'handled';
  });
  source.enable();
  const trigger = () => {
    mine = true;
    level.raise(opened.spaces);
  };
  const interrupt = () => fixture.settle(interruptAfter(source, opened.device.clock, LONG_US, trigger));
  return { source, interrupt };
}

/** Edges, messages and lines that are shared. */
export const INTERRUPT_CASES: readonly BackendCase[] = [...EDGE_CASES, ...MESSAGE_CASES, ...SHARED_CASES];
