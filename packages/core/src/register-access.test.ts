import { describe, expect, it } from 'vitest';
import { MemoryRegion } from './memory-region.ts';
import { bigEndian, type RegisterAccess, type RegisterOp, swapBytes } from './register-access.ts';
import { RecordingAccess } from './testing/recording-access.ts';

it.each([
  [0x12, 8, 0x12],
  [0x1234, 16, 0x3412],
  [0x00ff, 16, 0xff00],
  [0x1234_5678, 32, 0x7856_3412],
  [0x0000_00ff, 32, 0xff00_0000],
] as const)('the bytes of %i in %i bits, swapped, are %i', (value, width, swapped) => {
  expect(swapBytes(value, width)).toBe(swapped);
  expect(swapBytes(swapped, width)).toBe(value);
});

describe('a big-endian space', () => {
  function setUp(extra: Partial<RegisterAccess> = {}) {
    const access = Object.assign(new RecordingAccess(0x20), extra);
    const description = { name: 'be', sizeBytes: 0x20, memoryType: 'simulated', byteOrder: 'big' } as const;
    return { access, space: new MemoryRegion(description, access) };
  }

  it('swaps values, one access each', () => {
    const { access, space } = setUp();
    space.write32(0, 0x1234_5678);
    space.write16(4, 0xabcd);
    space.write8(6, 0xef);
    expect([...new Uint8Array(access.memory.buffer, 0, 7)]).toEqual([0x12, 0x34, 0x56, 0x78, 0xab, 0xcd, 0xef]);
    expect([space.read32(0), space.read16(4), space.read8(6)]).toEqual([0x1234_5678, 0xabcd, 0xef]);
    expect(access.log()).toHaveLength(6);
  });

  it('keeps streams in memory order', () => {
    const { space } = setUp();
    space.writeBlock(0, Uint8Array.of(1, 2, 3, 4));
    const into = new Uint8Array(4);
    space.readFifo16(0, into.subarray(0, 2));
    space.readBlock(0, into);
    expect([...into]).toEqual([1, 2, 3, 4]);
    expect(space.read32(0)).toBe(0x0102_0304);
  });

  it('uses the FIFO, the sequence and the barrier of the bus below', () => {
    const calls: unknown[] = [];
    const { space } = setUp({
      readFifo: (_offset, _width, into) => void into.fill(1),
      writeFifo: (_offset, _width, from) => void calls.push(...from),
      sequence: (ops, results) => {
        calls.push(...ops);
        results.push(0x3412, 0x7856_3412);
      },
      barrier: () => void calls.push('barrier'),
    });
    const into = new Uint8Array(2);
    space.readFifo16(0, into);
    space.writeFifo16(0, Uint8Array.of(8, 9));
    space.barrier();
    const ops: readonly RegisterOp[] = [
      { kind: 'write', width: 16, offset: 0, value: 0x1234 },
      { kind: 'read', width: 16, offset: 0 },
      { kind: 'read', width: 32, offset: 0 },
    ];
    expect(space.sequence(ops)).toEqual([0x1234, 0x1234_5678]);
    expect([...into]).toEqual([1, 1]);
    expect(calls).toEqual([8, 9, 'barrier', { ...ops[0], value: 0x3412 }, ops[1], ops[2]]);
  });

  it('swaps 64 bits, where there are 64-bit accesses', () => {
    let memory = 0n;
    const { space } = setUp({
      read64: () => memory,
      write64: (_offset, value) => {
        memory = value;
      },
    });
    space.write64(0, 0x0102_0304_0506_0708n);
    expect(memory).toBe(0x0807_0605_0403_0201n);
    expect(space.read64(0)).toBe(0x0102_0304_0506_0708n);
    expect(bigEndian(new RecordingAccess()).read64).toBeUndefined();
  });
});
