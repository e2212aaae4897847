import { expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

it('gives memory that was given back to whoever needs about as much', () => {
  const pool = new BufferPool(1_000_000);
  const first = pool.take(65_536);
  pool.give(first);
  const again = pool.take(65_500);
  expect(again).toHaveLength(65_500);
  expect(again.buffer).toBe(first.buffer);
  expect(pool.take(65_536).buffer).not.toBe(first.buffer);
});

it('wastes at most an eighth, and has every length', () => {
  const pool = new BufferPool(1_000_000);
  for (const bytes of [1, 512, 4095, 4096, 4097, 65_537, 131_072, 1_000_001, 33_554_431]) {
    const taken = pool.take(bytes);
    expect(taken).toHaveLength(bytes);
    expect(taken.buffer.byteLength).toBeLessThanOrEqual(bytes * 1.125);
  }
});

it('keeps no more than its limit, and not what nobody takes', () => {
  const pool = new BufferPool(100_000);
  const old = pool.take(65_536);
  const huge = pool.take(200_000);
  const used = pool.take(50_000);
  for (const buffer of [old, huge, used]) pool.give(buffer);
  expect(pool.take(200_000).buffer).not.toBe(huge.buffer);
  expect(pool.take(65_536).buffer).not.toBe(old.buffer);
  expect(pool.take(50_000).buffer).toBe(used.buffer);
});
