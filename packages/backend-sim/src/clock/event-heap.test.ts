import fc from 'fast-check';
import { expect, it } from 'vitest';
import { EventHeap, ScheduledEvent } from './event-heap.ts';

it('gives events in the order of time, ties in the order of scheduling, whatever was cancelled', () => {
  const schedule = fc.array(fc.record({ atNs: fc.nat(100), cancelled: fc.boolean() }), {
    minLength: 30,
    maxLength: 200,
  });
  fc.assert(
    fc.property(schedule, (plan) => {
      const heap = new EventHeap();
      const owner = { withdraw: (event: ScheduledEvent) => void heap.remove(event) };
      const events = plan.map(({ atNs }, sequence) => new ScheduledEvent(atNs, sequence, () => {}, owner));
      for (const event of events) heap.add(event);
      for (const [index, { cancelled }] of plan.entries()) if (cancelled) events[index]?.cancel();

      const taken: ScheduledEvent[] = [];
      for (let first = heap.first; first !== undefined; first = heap.first) {
        taken.push(first);
        heap.remove(first);
      }

      const left = events.filter((_, index) => plan[index]?.cancelled === false);
      expect(taken).toEqual(left.sort((a, b) => a.atNs - b.atNs || a.sequence - b.sequence));
    }),
  );
});

it('does not mind a second cancel', () => {
  const heap = new EventHeap();
  const event = new ScheduledEvent(1, 1, () => {}, { withdraw: (which) => void heap.remove(which) });
  heap.add(event);
  event.cancel();
  event.cancel();
  expect(heap.size).toBe(0);
});
