import { describe, expect, test } from 'vitest';
import { BufferPool, capacityBytes } from './buffer-pool.ts';

const MIB = 2 ** 20;

describe('the buffer pool', () => {
  test.each([
    [1, 4096],
    [4096, 4096],
    [4097, 8192],
    [MIB, MIB],
    [MIB + 1, MIB + 1],
    [32 * MIB, 32 * MIB],
  ])('a buffer of %i bytes takes %i', (length, capacity) => {
    expect(capacityBytes(length)).toBe(capacity);
    expect(new BufferPool(0).take(length)).toMatchObject({ capacityBytes: capacity, data: { length } });
  });

  test('puts the header directly before the data', () => {
    const buffer = new BufferPool(0).take(5);
    buffer.message(3).fill('abcdefgh');
    expect(Buffer.from(buffer.data).toString()).toBe('defgh');
    expect(buffer.message(1).toString()).toBe('cdefgh');
  });

  test('data is not a Buffer: slice() copies, as a driver expects of a Uint8Array', () => {
    const { data } = new BufferPool(0).take(5);
    const copy = data.fill(1).slice(0, 3);
    data.fill(2);
    expect([...copy]).toEqual([1, 1, 1]);
  });

  test('data is aligned for every kind of typed array', () => {
    expect(new BufferPool(0).take(5).data.byteOffset % 8).toBe(0);
  });

  test('lends again what was given back, at the length that is asked for', () => {
    const pool = new BufferPool(MIB);
    const first = pool.take(5000);
    pool.give(first);
    expect(pool.idleBytes).toBe(8192);
    expect(pool.take(6000)).toBe(first);
    expect(first.data).toHaveLength(6000);
    expect(pool.idleBytes).toBe(0);
  });

  test('keeps no more than it may, and nothing above 1 MiB', () => {
    const pool = new BufferPool(3 * 4096);
    const lent = Array.from({ length: 5 }, () => pool.take(4096));
    for (const buffer of lent) pool.give(buffer);
    expect(pool.idleBytes).toBe(3 * 4096);
    const large = new BufferPool(64 * MIB);
    large.give(large.take(MIB + 1));
    expect(large.idleBytes).toBe(0);
  });
});
