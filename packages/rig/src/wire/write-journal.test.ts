import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WriteJournal } from './write-journal.ts';

const BLOCKS = 40;

type Step =
  | { readonly kind: 'add' | 'forget'; readonly block: number; readonly blocks: number }
  | { readonly kind: 'mark' }
  | { readonly kind: 'drop' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('add' as const, 'add' as const, 'forget' as const),
        block: fc.nat(BLOCKS - 9),
        blocks: fc.integer({ min: 1, max: 9 }),
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'mark' as const }, { kind: 'drop' as const }) },
  ),
  { maxLength: 60 },
);

const filled = (blocks: number, value: number, size = 16) => new Uint8Array(blocks * size).fill(value);

describe('the journal of acknowledged writes', () => {
  it.each([16, 4096])('holds of each block of %i bytes the newest content not forgotten nor dropped', (size) => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const journal = new WriteJournal(1e9, size);
        const model = new Map<number, { value: number; mark: number }>();
        let [value, marked] = [0, 0];
        for (const step of sequence) {
          if (step.kind === 'add' || step.kind === 'forget') {
            for (let at = 0; at < step.blocks; at++) model.delete(step.block + at);
          }
          if (step.kind === 'forget') journal.forget(step.block, step.blocks);
          if (step.kind === 'mark') marked = journal.mark;
          else if (step.kind === 'drop') {
            journal.dropThrough(marked);
            for (const [block, held] of model) if (held.mark <= marked) model.delete(block);
          } else if (step.kind === 'add') {
            value = (value % 255) + 1;
            journal.add(step.block, filled(step.blocks, value, size));
            for (let at = 0; at < step.blocks; at++) model.set(step.block + at, { value, mark: journal.mark });
          }
        }
        expect(contentOf(journal, size)).toEqual(new Map([...model].map(([block, held]) => [block, held.value])));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('keeps a copy, also of a Buffer, whose slice() would not be one', () => {
    const journal = new WriteJournal(1e6, 16);
    const data = Buffer.from(filled(2, 7));
    journal.add(3, data);
    data.fill(9);
    expect(contentOf(journal)).toEqual(new Map([3, 4].map((block) => [block, 7])));
  });

  it('cuts long writes into pieces of whole blocks', () => {
    const journal = new WriteJournal(1e6, 520);
    journal.add(0, new Uint8Array(520 * 300));
    expect(journal.pieces.map(({ block, blocks }) => [block, blocks])).toEqual([
      [0, 126],
      [126, 126],
      [252, 48],
    ]);
  });

  it('counts the memory that it uses, and is empty again at the end', () => {
    const journal = new WriteJournal(10_000, 16);
    expect(journal.hasRoom(9_000)).toBe(true);
    expect(journal.hasRoom(10_000)).toBe(false);
    for (let at = 0; at < 20; at++) journal.add(at, filled(9, at + 1));
    expect(journal.bytes).toBeGreaterThan(28 * 16);
    expect(journal.bytes).toBeLessThan(28 * (16 + 200));
    journal.dropThrough(journal.mark);
    expect(journal.bytes).toBe(0);
    expect(journal.pieces).toEqual([]);
  });
});

/** The value of each block; fails when pieces overlap or are out of order. */
function contentOf(journal: WriteJournal, size = 16): Map<number, number> {
  const found = new Map<number, number>();
  let end = 0;
  for (const { block, blocks, data } of journal.pieces) {
    expect(block).toBeGreaterThanOrEqual(end);
    expect(data).toHaveLength(blocks * size);
    end = block + blocks;
    for (let at = 0; at < blocks; at++) found.set(block + at, data[at * size] ?? -1);
  }
  return found;
}
