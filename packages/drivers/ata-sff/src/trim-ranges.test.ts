import fc from 'fast-check';
import { expect, it } from 'vitest';
import { trimData } from './trim-ranges.ts';

/** Address and length of each range. */
function ranges(data: Uint8Array): [number, number][] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / 8 }, (_, index): [number, number] => [
    view.getUint32(8 * index, true) + view.getUint16(8 * index + 4, true) * 2 ** 32,
    view.getUint16(8 * index + 6, true),
  ]).filter(([, length]) => length > 0);
}

it('has a range for 65535 sectors, with 48 bits of address', () => {
  const [data, ...more] = [...trimData(2 ** 33 + 5, 65_536, 1)];
  expect(more).toEqual([]);
  expect(data?.length).toBe(512);
  expect(ranges(data ?? new Uint8Array())).toEqual([
    [2 ** 33 + 5, 65_535],
    [2 ** 33 + 5 + 65_535, 1],
  ]);
});

it('covers every sector once, in commands that the device takes', () => {
  fc.assert(
    fc.property(
      fc.nat(2 ** 30),
      fc.integer({ min: 1, max: 2 ** 25 }),
      fc.integer({ min: 1, max: 4 }),
      (lba, sectors, maxBlocks) => {
        let next = lba;
        for (const data of trimData(lba, sectors, maxBlocks)) {
          expect(data.length % 512).toBe(0);
          expect(data.length / 512).toBeLessThanOrEqual(maxBlocks);
          for (const [start, length] of ranges(data)) {
            expect(start).toBe(next);
            next += length;
          }
        }
        expect(next).toBe(lba + sectors);
      },
    ),
  );
});
