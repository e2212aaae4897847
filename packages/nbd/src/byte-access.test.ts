import { DeviceError } from '@ring3/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteAccess } from './byte-access.ts';
import { Gate, TestDisk } from './testing/test-disk.ts';

const SMALL = { blockSizeBytes: 16, blockCount: 64, maxTransferBlocks: 4 };

/** A gate for each call, so that calls end in the order that the seed says. */
async function shuffled(turns: () => number): Promise<void> {
  for (let turn = turns() % 8; turn > 0; turn -= 1) await Promise.resolve();
}

describe('a block device by the byte', () => {
  test('whole blocks go to the device as they are', async () => {
    const disk = new TestDisk(SMALL).fill();
    const access = new ByteAccess(disk);
    const into = Buffer.alloc(64);
    await access.read(32, into);
    await access.write(128, into, true);
    await access.write(256, into, false);
    expect(into).toEqual(disk.content.subarray(32, 96));
    expect(disk.calls).toEqual([
      { kind: 'read', block: 2, blocks: 4, fua: false },
      { kind: 'write', block: 8, blocks: 4, fua: true },
      { kind: 'write', block: 16, blocks: 4, fua: false },
    ]);
  });

  test('a device that throws before it returns a promise fails the request, and its blocks are free again', async () => {
    const disk = new TestDisk(SMALL);
    const access = new ByteAccess(disk);
    const { read, write } = disk;
    disk.read = disk.write = () => {
      throw new Error('a defect');
    };
    await expect(access.read(0, Buffer.alloc(16))).rejects.toThrow('a defect');
    await expect(access.write(0, Buffer.alloc(16), false)).rejects.toThrow('a defect');
    Object.assign(disk, { read, write });
    await access.write(4, Buffer.from('x'), false);
    expect(disk.content[4]).toBe('x'.charCodeAt(0));
  });

  test('large requests are cut into what the device takes, a few at a time', async () => {
    const disk = new TestDisk(SMALL).fill();
    const into = Buffer.alloc(40 * 16);
    await new ByteAccess(disk).read(16, into);
    expect(into).toEqual(disk.content.subarray(16, 41 * 16));
    expect(disk.calls.map(({ block, blocks }) => [block, blocks])).toEqual(
      Array.from({ length: 10 }, (_, index) => [1 + 4 * index, 4]),
    );
    expect(disk.mostAtOnce).toBe(4);
  });

  test('a partial block is read, changed and written, with FUA if that was asked for', async () => {
    const disk = new TestDisk(SMALL).fill();
    const expected = Buffer.from(disk.content);
    expected.fill('x', 20, 23);
    await new ByteAccess(disk).write(20, Buffer.from('xxx'), true);
    expect(disk.content).toEqual(expected);
    expect(disk.calls).toEqual([
      { kind: 'read', block: 1, blocks: 1, fua: false },
      { kind: 'write', block: 1, blocks: 1, fua: true },
    ]);
  });

  test('a partial write loses nothing of whole-block writes to the same block', async () => {
    const disk = new TestDisk(SMALL);
    const gate = new Gate();
    disk.before = ({ kind }) => (kind === 'read' ? gate.pass() : undefined);
    const access = new ByteAccess(disk);
    const partial = access.write(4, Buffer.from('x'), false);
    await gate.reached;
    const whole = access.write(0, Buffer.alloc(32, 'w'), false);
    gate.open();
    await Promise.all([partial, whole]);
    expect(disk.content.toString('latin1', 0, 32)).toBe('w'.repeat(32));
  });

  test('the first bad block of a request is the one that is reported', async () => {
    const disk = new TestDisk(SMALL);
    const slow = new Gate();
    disk.before = async ({ block }) => {
      if (block === 4) await slow.pass();
      if (block >= 4) throw new DeviceError('media', `block ${block}`, { details: { block } });
    };
    const read = new ByteAccess(disk).read(0, Buffer.alloc(32 * 16));
    await slow.reached;
    slow.open();
    await expect(read).rejects.toMatchObject({ details: { block: 4 } });
    expect(disk.calls.map(({ block }) => block)).toEqual([0, 4, 8, 12, 16]);
  });

  test('any bytes written by any number of clients at once are read back', async () => {
    const range = fc.record({ offset: fc.nat(1000), length: fc.integer({ min: 1, max: 200 }) });
    const run = async (ranges: { offset: number; length: number }[], turns: () => number): Promise<void> => {
      const disk = new TestDisk(SMALL);
      disk.before = () => shuffled(turns);
      const access = new ByteAccess(disk);
      const model = Buffer.alloc(1024);
      // Cut so that no two of them overlap by a byte, but many share a block.
      const taken = new Set<number>();
      const writes = ranges.map(({ offset, length }, index) => {
        let end = offset;
        while (end < Math.min(offset + length, 1024) && !taken.has(end)) taken.add(end++);
        const data = Buffer.alloc(end - offset, index + 1);
        data.copy(model, offset);
        return data.length === 0 ? undefined : access.write(offset, data, false);
      });
      await Promise.all(writes);
      const into = Buffer.alloc(1021);
      await access.read(3, into);
      expect(disk.content).toEqual(model);
      expect(into).toEqual(model.subarray(3));
    };
    await fc.assert(
      fc.asyncProperty(fc.array(range, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (ranges, turns) =>
        run(ranges, () => turns.next().value ?? 0),
      ),
    );
  });

  test.each([
    { blockCount: 0 },
    { maxTransferBlocks: 0 },
    { blockCount: 0.5 },
    { blockSizeBytes: 2 ** 52, blockCount: 2 },
  ])('a device that is no disk is refused: %j', (info) => {
    const disk = { info: { ...new TestDisk().info, ...info } } as TestDisk;
    expect(() => new ByteAccess(disk)).toThrow(RangeError);
  });
});
