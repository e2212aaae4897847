import { expect, it } from 'vitest';
import { BlockHistory, type WriteRecord } from './block-history.ts';

/** A write that was issued and acknowledged in one go. */
function write(at: number, durableBy?: string): WriteRecord {
  return { label: `write ${at}`, fua: false, issuedAt: at, endedAt: at, standingSince: at, durableBy };
}

const labels = (versions: readonly { readonly write: WriteRecord }[]) => versions.map(({ write: { label } }) => label);

it('forgets what is neither readable nor can come back, except the last few, for messages', () => {
  const history = new BlockHistory({ write: write(0, 'seen'), data: Uint8Array.of(0) });
  for (let at = 1; at <= 20; at++) history.versions.push({ write: write(at), data: Uint8Array.of(at) });
  history.prune(100);
  expect(history.versions).toHaveLength(21);
  history.versions.push({ write: write(21, 'flush 1'), data: Uint8Array.of(21) });
  history.prune(100);
  expect(labels(history.versions)).toEqual(['write 21']);
  expect(labels(history.former)).toEqual([13, 14, 15, 16, 17, 18, 19, 20].map((at) => `write ${at}`));
});

it('keeps what a read that is on its way may still return', () => {
  const history = new BlockHistory({ write: write(0, 'seen'), data: undefined });
  history.versions.push({ write: write(5, 'flush 1'), data: undefined });
  history.prune(3);
  expect(labels(history.versions)).toEqual(['write 0', 'write 5']);
  history.prune(6);
  expect(labels(history.versions)).toEqual(['write 5']);
});
