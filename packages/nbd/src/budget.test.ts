import { describe, expect, test } from 'vitest';
import { Budget } from './budget.ts';

function takeAll(budget: Budget, sizes: readonly number[]): number[] {
  const admitted: number[] = [];
  for (const size of sizes) budget.take(size, () => admitted.push(size));
  return admitted;
}

describe('the budget of a client', () => {
  test('admits at once what fits, by number and by bytes', () => {
    expect(takeAll(new Budget(3, 100), [50, 50, 0])).toEqual([50, 50, 0]);
    expect(takeAll(new Budget(3, 100), [50, 51])).toEqual([50]);
    expect(takeAll(new Budget(1, 100), [0, 0])).toEqual([0]);
  });

  test('admits the one that waits when there is room', () => {
    const budget = new Budget(3, 100);
    const admitted = takeAll(budget, [60, 30, 50]);
    budget.give(30);
    expect(admitted).toEqual([60, 30]);
    budget.give(60);
    expect(admitted).toEqual([60, 30, 50]);
    expect([budget.requests, budget.bytes]).toEqual([1, 50]);
  });

  test('admits a request that is larger than the whole budget when it is alone', () => {
    const budget = new Budget(3, 100);
    const admitted = takeAll(budget, [1, 1000]);
    budget.give(1);
    expect(admitted).toEqual([1, 1000]);
  });
});
