import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { IoPortSpace, MemoryRegion } from './memory-region.ts';
import type { RegisterOp, Width } from './register-access.ts';
import type { RegisterSpace } from './register-space.ts';
import type { SpaceDescription } from './space-description.ts';
import { RecordingAccess } from './testing/recording-access.ts';

function setUp(description: Partial<SpaceDescription> = {}) {
  const access = new RecordingAccess(0x20);
  const space = new MemoryRegion({ name: 'ata0', sizeBytes: 0x20, memoryType: 'simulated', ...description }, access);
  return { access, space, log: () => access.log() };
}

function read(space: RegisterSpace, width: Width, offset: number): number {
  if (width === 8) return space.read8(offset);
  return width === 16 ? space.read16(offset) : space.read32(offset);
}

function write(space: RegisterSpace, width: Width, offset: number, value: number): void {
  if (width === 8) space.write8(offset, value);
  else if (width === 16) space.write16(offset, value);
  else space.write32(offset, value);
}

function readFifo(space: RegisterSpace, width: Width, offset: number, into: Uint8Array): void {
  if (width === 8) space.readFifo8(offset, into);
  else if (width === 16) space.readFifo16(offset, into);
  else space.readFifo32(offset, into);
}

function writeFifo(space: RegisterSpace, width: Width, offset: number, from: Uint8Array): void {
  if (width === 8) space.writeFifo8(offset, from);
  else if (width === 16) space.writeFifo16(offset, from);
  else space.writeFifo32(offset, from);
}

/** Every way to touch an offset. */
function touches(space: RegisterSpace, width: Width, offset: number): (() => unknown)[] {
  const word = new Uint8Array(width / 8);
  return [
    () => read(space, width, offset),
    () => write(space, width, offset, 0),
    () => readFifo(space, width, offset, word),
    () => writeFifo(space, width, offset, word),
    () => space.sequence([{ kind: 'read', width, offset }]),
    () => space.sequence([{ kind: 'write', width, offset, value: 0 }]),
  ];
}

const WIDTHS: readonly Width[] = [8, 16, 32];

describe.each(WIDTHS)('a %i-bit access', (width) => {
  const bytes = width / 8;
  const most = 2 ** width - 1;

  it('is one access of that width', () => {
    const { space, log } = setUp();
    write(space, width, 0x20 - bytes, most);
    expect(read(space, width, 0x20 - bytes)).toBe(most);
    const at = `0x${(0x20 - bytes).toString(16)}`;
    expect(log()).toEqual([`write${width} ${at} = 0x${most.toString(16)}`, `read${width} ${at}`]);
  });

  it.each([
    0x20,
    0x21 - bytes,
    -bytes,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 32,
    2 ** 32 + 4,
    2 ** 53,
    -(2 ** 31),
  ])('at %f is refused before the bus is touched', (offset) => {
    const { space, log } = setUp();
    for (const touch of touches(space, width, offset)) expect(touch).toThrow(RangeError);
    expect(log()).toEqual([]);
  });

  it('of a value that does not fit is refused before the bus is touched', () => {
    const { space, log } = setUp();
    for (const value of [-1, most + 1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => write(space, width, 0, value)).toThrow(RangeError);
      expect(() => space.sequence([{ kind: 'write', width, offset: 0, value }])).toThrow(RangeError);
    }
    expect(log()).toEqual([]);
  });

  it('is refused by a device that takes other widths only', () => {
    const others = WIDTHS.filter((other) => other !== width);
    const { space, log } = setUp({ widths: others });
    for (const touch of touches(space, width, 0)) {
      expect(touch).toThrow(`ata0: the device takes no ${width}-bit access (at 0x0), only ${others.join(', ')} bits`);
    }
    expect(log()).toEqual([]);
    for (const other of others) read(space, other, 0);
    expect(log()).toHaveLength(2);
  });

  it('that is not aligned is refused before the bus is touched', () => {
    const { space, log } = setUp();
    for (let offset = 1; offset < bytes; offset++) {
      for (const touch of touches(space, width, offset)) expect(touch).toThrow(`alignment ${bytes}`);
    }
    expect(log()).toEqual([]);
  });

  it.each([
    ['', [width]],
    [', refused width or not', [8, 16, 32].filter((other) => other !== width) as Width[]],
  ])('after close throws closed, whatever else is wrong%s', (_what, widths) => {
    const { space, log } = setUp({ widths });
    space.close('the device was removed');
    for (const offset of [0, 4, 0x20, -1, 0.5, 2 ** 32]) {
      for (const touch of touches(space, width, offset)) {
        expect(touch).toThrow(
          expect.objectContaining({ code: 'closed', message: expect.stringContaining('the device was removed') }),
        );
      }
    }
    expect(log()).toEqual([]);
  });
});

describe('a space', () => {
  it('says in words what is wrong', () => {
    const { space } = setUp();
    expect(() => space.read32(0x1e)).toThrow('ata0: 4 bytes at 0x1e do not fit: the space has 0x20 bytes, alignment 4');
    expect(() => space.read8(-4)).toThrow('1 bytes at -4 do not fit');
    expect(() => space.write32(0, 1 << 31)).toThrow('end the expression with >>> 0');
  });

  it('smaller than an access refuses it', () => {
    const { space } = setUp({ sizeBytes: 1 });
    expect(() => space.read16(0)).toThrow(RangeError);
    expect(() => space.read32(0)).toThrow(RangeError);
    expect(space.read8(0)).toBe(0);
  });

  it('beyond 4 GiB works, with the same checks', () => {
    const offsets: number[] = [];
    const access = { read: (offset: number) => offsets.push(offset), write: () => {} };
    const space = new MemoryRegion({ name: 'big', sizeBytes: 2 ** 33, memoryType: 'simulated' }, access);
    space.read32(2 ** 33 - 4);
    space.sequence([{ kind: 'read', width: 16, offset: 2 ** 32 + 2 }]);
    for (const touch of touches(space, 32, 2 ** 32 + 2)) expect(touch).toThrow(RangeError);
    for (const touch of touches(space, 32, 2 ** 33)) expect(touch).toThrow(RangeError);
    expect(offsets).toEqual([2 ** 33 - 4, 2 ** 32 + 2]);
  });

  it.each([Number.NaN, -1, 1.5])('of %f bytes cannot be made: every offset would pass', (sizeBytes) => {
    expect(() => setUp({ sizeBytes })).toThrow('is not a size in bytes');
  });

  it('is not read by looking at it', () => {
    const { space, log } = setUp({ start: 0xfeb0_0000n });
    expect(inspect({ deep: [space] }, { showHidden: true, getters: true })).toContain(
      'MemoryRegion ata0 at 0xfeb00000, 0x20 bytes, simulated',
    );
    expect(() => expect(space).toEqual({})).toThrow();
    space.close('closed');
    expect(String(space)).toMatch(/, closed$/);
    expect(log()).toEqual([]);
  });

  it('closes for the first reason', () => {
    const { space } = setUp();
    space.close('removed');
    space.close();
    expect(() => space.read8(0)).toThrow('register access after the space was removed');
  });

  it('flushes by a read of the register that is named for it', () => {
    const { space, log } = setUp({ flush: { offset: 0x1c, width: 16 } });
    space.flush();
    expect(log()).toEqual(['read16 0x1c']);
    const unnamed = setUp().space;
    expect(() => unnamed.flush()).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('hands a barrier to the bus, where it has one', () => {
    let barriers = 0;
    const access = Object.assign(new RecordingAccess(4), { barrier: () => void barriers++ });
    new IoPortSpace({ name: 'ports', sizeBytes: 4, memoryType: 'port' }, access).barrier();
    setUp().space.barrier();
    expect(barriers).toBe(1);
  });
});

describe('a sequence', () => {
  const ops: readonly RegisterOp[] = [
    { kind: 'write', width: 8, offset: 1, value: 0xa0 },
    { kind: 'read', width: 16, offset: 0 },
    { kind: 'write', width: 16, offset: 0, value: 0x1234 },
    { kind: 'read', width: 8, offset: 1 },
  ];

  it('is done in order, its results come together', () => {
    const { space, log } = setUp();
    expect(space.sequence(ops)).toEqual([0xa000, 0x12]);
    expect(log()).toEqual(['write8 0x1 = 0xa0', 'read16 0x0', 'write16 0x0 = 0x1234', 'read8 0x1']);
  });

  it('is one call where the bus offers it', () => {
    const calls: (readonly RegisterOp[])[] = [];
    const access = Object.assign(new RecordingAccess(0x20), {
      sequence: (given: readonly RegisterOp[], results: number[]) => {
        calls.push(given);
        results.push(7, 8);
      },
    });
    const space = new MemoryRegion({ name: 'far', sizeBytes: 0x20, memoryType: 'emulated' }, access);
    expect(space.sequence(ops)).toEqual([7, 8]);
    expect(calls).toEqual([ops]);
    expect(access.log()).toEqual([]);
  });

  it('does nothing when one step is wrong', () => {
    const { space, log } = setUp();
    expect(() => space.sequence([...ops, { kind: 'read', width: 32, offset: 0x1e }])).toThrow(RangeError);
    expect(log()).toEqual([]);
  });
});

describe('a FIFO', () => {
  it.each([
    [8, [0x11, 0x22, 0x33, 0x44], [0x11, 0x22, 0x33, 0x44]],
    [16, [0x2211, 0x4433], [0x11, 0x22, 0x33, 0x44]],
    [32, [0x88332211], [0x11, 0x22, 0x33, 0x88]],
  ] as const)('of %i-bit words delivers the low byte first', (width, words, bytes) => {
    const queue: number[] = [...words];
    const written: number[] = [];
    const access = {
      read: () => queue.shift() ?? 0,
      write: (_offset: number, _width: Width, value: number) => void written.push(value),
    };
    const space = new MemoryRegion({ name: 'fifo', sizeBytes: 8, memoryType: 'simulated' }, access);
    const into = new Uint8Array(6).fill(0xee);
    readFifo(space, width, 4, into.subarray(1, 5));
    expect([...into]).toEqual([0xee, ...bytes, 0xee]);
    writeFifo(space, width, 4, into.subarray(1, 5));
    expect(written).toEqual(words);
  });

  it('moves whole words only', () => {
    const { space, log } = setUp();
    expect(() => space.readFifo16(0, new Uint8Array(3))).toThrow(
      'ata0: a FIFO of 16-bit words at 0x0 cannot move 3 bytes: give a multiple of 2',
    );
    expect(() => space.writeFifo32(0, new Uint8Array(6))).toThrow(RangeError);
    space.readFifo32(0, new Uint8Array(0));
    expect(log()).toEqual([]);
  });
});

describe('a memory region', () => {
  it('copies blocks by 32-bit accesses', () => {
    const { space, log } = setUp();
    space.writeBlock(8, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const into = new Uint8Array(8);
    space.readBlock(8, into);
    expect([...into]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(log()).toEqual(['write32 0x8 = 0x4030201', 'write32 0xc = 0x8070605', 'read32 0x8', 'read32 0xc']);
  });

  it.each([
    [0, 6, 'are not whole 32-bit words'],
    [2, 4, 'do not fit'],
    [0x1c, 8, 'do not fit'],
  ])('refuses a block at %i of %i bytes before the bus is touched', (offset, lengthBytes, message) => {
    const { space, log } = setUp();
    expect(() => space.readBlock(offset, new Uint8Array(lengthBytes))).toThrow(message);
    expect(() => space.writeBlock(offset, new Uint8Array(lengthBytes))).toThrow(message);
    expect(log()).toEqual([]);
  });

  it('has 64-bit accesses where the bus has them', () => {
    const memory = new BigUint64Array(4);
    const access = Object.assign(new RecordingAccess(), {
      read64: (offset: number) => memory[offset / 8] ?? 0n,
      write64: (offset: number, value: bigint) => {
        memory[offset / 8] = value;
      },
    });
    const space = new MemoryRegion({ name: 'wide', sizeBytes: 0x20, memoryType: 'simulated' }, access);
    space.write64(8, 2n ** 64n - 1n);
    expect(space.read64(8)).toBe(2n ** 64n - 1n);
    for (const value of [-1n, 2n ** 64n]) expect(() => space.write64(8, value)).toThrow(RangeError);
    for (const offset of [4, 0x20, -8]) expect(() => space.read64(offset)).toThrow(RangeError);
    const narrow = setUp().space;
    expect(() => narrow.read64(0)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(() => narrow.write64(0, 0n)).toThrow(expect.objectContaining({ code: 'unsupported' }));
    space.close();
    expect(() => space.read64(8)).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});
