import { DmaPool } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { allocateDmaMemory } from './dma-memory.ts';

const KIB = 1024;

/** Memory in pieces of consecutive addresses, each at a place where nothing else is. */
function pool(...sizes: number[]): DmaPool {
  const arenas = sizes.map((size, index) => ({
    busAddress: 0x1000_0000n + BigInt(index) * 0x100_0000n,
    bytes: new Uint8Array(size),
  }));
  return new DmaPool('test memory', arenas);
}

describe('the buffer of a channel', () => {
  it('is as large as asked for, where there is memory', () => {
    expect(allocateDmaMemory(pool(2048 * KIB), 1024 * KIB).sizeBytes).toBe(1024 * KIB);
    expect(allocateDmaMemory(pool(2048 * KIB), 512).sizeBytes).toBe(4 * KIB);
  });

  it('is made of single pages where the memory is', () => {
    const pages = Array.from({ length: 40 }, () => 4 * KIB);
    expect(allocateDmaMemory(pool(...pages), 128 * KIB).sizeBytes).toBe(128 * KIB);
  });

  it('is smaller where there is less, and PIO is left where there is none', () => {
    expect(allocateDmaMemory(pool(70 * KIB), 1024 * KIB).sizeBytes).toBe(64 * KIB);
    const small = pool(4 * KIB);
    expect(() => allocateDmaMemory(small, 1024 * KIB)).toThrow(/no free piece/);
    expect(small.usedBytes).toBe(0);
  });

  it('lies below 4 GiB', () => {
    const high = new DmaPool('high memory', [{ busAddress: 0x1_0000_0000n, bytes: new Uint8Array(64 * KIB) }]);
    expect(() => allocateDmaMemory(high, 4 * KIB)).toThrow(/32 address bits/);
  });

  it('takes data in and out, whatever their length, and all of it is given back', () => {
    const memory = pool(256 * KIB);
    const buffer = allocateDmaMemory(memory, 100 * KIB);
    const data = Uint8Array.from({ length: 99 * KIB + 512 }, (_, index) => index * 7);
    buffer.prepare('from-memory', data);
    const back = new Uint8Array(data.length);
    buffer.take(back);
    expect(back).toEqual(data);
    expect(() => buffer.prepare('to-memory', new Uint8Array(101 * KIB))).toThrow(RangeError);
    buffer.release();
    expect(memory.usedBytes).toBe(0);
  });
});
