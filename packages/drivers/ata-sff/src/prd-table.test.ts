import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writePrdTable } from './prd-table.ts';

const KIB = 1024;
const END = 0x8000_0000;

/** The table as a bus master reads it. */
function entries(table: Uint8Array): { address: number; bytes: number; end: boolean }[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return Array.from({ length: table.length / 8 }, (_, index) => {
    const second = view.getUint32(8 * index + 4, true);
    const count = second & 0xffff;
    return { address: view.getUint32(8 * index, true), bytes: count === 0 ? 64 * KIB : count, end: second >= END };
  });
}

function write(pieces: Parameters<typeof writePrdTable>[1], lengthBytes: number) {
  const table = new Uint8Array(8 * pieces.length);
  return entries(table.subarray(0, writePrdTable(table, pieces, lengthBytes)));
}

describe('the table of descriptors', () => {
  it('has an entry for each piece that is needed, and an end', () => {
    const pieces = [
      { busAddress: 0x1_0000n, sizeBytes: 4096 },
      { busAddress: 0x9_0000n, sizeBytes: 4096 },
      { busAddress: 0xffff_0000n, sizeBytes: 4096 },
    ];
    expect(write(pieces, 4608)).toEqual([
      { address: 0x1_0000, bytes: 4096, end: false },
      { address: 0x9_0000, bytes: 512, end: true },
    ]);
    expect(write(pieces, 12_288).at(-1)).toEqual({ address: 0xffff_0000, bytes: 4096, end: true });
  });

  it('writes 64 KiB as 0', () => {
    const table = new Uint8Array(8);
    writePrdTable(table, [{ busAddress: 0x12_0000n, sizeBytes: 64 * KIB }], 64 * KIB);
    expect([...table]).toEqual([0, 0, 0x12, 0, 0, 0, 0, 0x80]);
  });

  it('covers any length, with no entry of nothing, none across 64 KiB, and one end', () => {
    const piece = fc
      .record({ page: fc.nat(0xf_ffff), pages: fc.integer({ min: 1, max: 16 }) })
      .map(({ page, pages }) => ({
        busAddress: BigInt(page) * 4096n,
        sizeBytes: Math.min(pages, 16 - (page % 16)) * 4096,
      }));
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 20 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (pieces, part) => {
          const capacity = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
          const lengthBytes = 2 * Math.max(1, Math.floor((capacity * part) / 2));
          const written = write(pieces, lengthBytes);
          expect(written.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(lengthBytes);
          expect(written.map(({ end }) => end)).toEqual(written.map((_, index) => index === written.length - 1));
          for (const [index, { address, bytes }] of written.entries()) {
            expect(BigInt(address)).toBe(pieces[index]?.busAddress);
            expect(bytes).toBeGreaterThan(0);
            expect(Math.floor(address / 0x1_0000)).toBe(Math.floor((address + bytes - 1) / 0x1_0000));
          }
        },
      ),
    );
  });

  it.each([
    ['nothing', { busAddress: 0n, sizeBytes: 512 }, 0],
    ['an odd length', { busAddress: 0n, sizeBytes: 512 }, 511],
    ['more than there is', { busAddress: 0n, sizeBytes: 512 }, 514],
    ['a piece across 64 KiB', { busAddress: 0xfff0n, sizeBytes: 512 }, 512],
    ['a piece beyond 4 GiB', { busAddress: 0x1_0000_0000n, sizeBytes: 512 }, 512],
    ['an odd address', { busAddress: 1n, sizeBytes: 512 }, 512],
    ['an empty piece', { busAddress: 0n, sizeBytes: 0 }, 2],
  ])('refuses %s', (_what, piece, lengthBytes) => {
    expect(() => write([piece], lengthBytes)).toThrow(RangeError);
  });
});
