import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeLock, type RangeTicket } from './range-lock.ts';

type Range = [first: number, last: number, exclusive: boolean];

describe('the lock on ranges of blocks', () => {
  test.each([
    ['whole-block writes of the same blocks share', [0, 9, false], [5, 5, false], false],
    ['a partial write waits for a whole-block write', [0, 9, false], [9, 9, true], true],
    ['a whole-block write waits for a partial write', [9, 9, true], [0, 9, false], true],
    ['partial writes of one block wait for each other', [4, 4, true], [4, 4, true], true],
    ['neighbours do not wait', [0, 8, true], [9, 9, true], false],
  ] as [string, Range, Range, boolean][])('%s', async (_, first, second, waits) => {
    const lock = new RangeLock();
    const held = lock.acquire(...first);
    const other = lock.acquire(...second);
    expect(held.granted).toBeUndefined();
    expect(other.granted !== undefined).toBe(waits);
    lock.release(held);
    await other.granted;
  });

  test('who came later does not overtake who waits', () => {
    const lock = new RangeLock();
    lock.acquire(0, 4, false);
    expect(lock.acquire(4, 8, true).granted).toBeDefined();
    expect(lock.acquire(8, 9, false).granted).toBeDefined();
    expect(lock.acquire(9, 9, false).granted).toBeUndefined();
  });

  test('in any order of requests nobody conflicts, and everybody gets a turn', () => {
    const request = fc.record({ first: fc.nat(9), blocks: fc.integer({ min: 1, max: 4 }), exclusive: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (requests, choices) => {
          const lock = new RangeLock();
          const tickets = requests.map(({ first, blocks, exclusive }) =>
            lock.acquire(first, first + blocks - 1, exclusive),
          );
          while (tickets.length > 0) {
            const held = tickets.filter(isHeld);
            expect(conflicts(held)).toEqual([]);
            const next = held[(choices.next().value ?? 0) % held.length];
            if (next === undefined) throw new Error('everybody waits');
            lock.release(next);
            tickets.splice(tickets.indexOf(next), 1);
          }
        },
      ),
    );
  });
});

function isHeld({ granted, grant }: RangeTicket): boolean {
  return granted === undefined || grant === undefined;
}

function conflicts(held: readonly RangeTicket[]): unknown[] {
  return held.flatMap((one, index) =>
    held
      .slice(index + 1)
      .filter((other) => (one.exclusive || other.exclusive) && one.first <= other.last && other.first <= one.last),
  );
}
