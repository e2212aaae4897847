import { Buffer } from 'node:buffer';
import { type BlockHistory, SEEN, type Version } from './block-history.ts';

/**
 * The laws of a block device. `readable`: reads return what was acknowledged. `durable`: what was flushed survives a loss
 * of power. `whole`: a block is old or new, never a mixture. `written`: a block holds what was written to it.
 */
export type BlockLaw = 'readable' | 'durable' | 'whole' | 'written';

/** A block that holds what it must not hold; the message says which law that breaks and why. */
export class BrokenLaw extends Error {
  override readonly name = 'BrokenLaw';
  readonly law: BlockLaw;
  readonly block: number;

  constructor(law: BlockLaw, block: number, message: string) {
    super(`block ${block} ${message}`);
    this.law = law;
    this.block = block;
  }
}

/** What is known when a block is judged. */
export interface Evidence {
  readonly block: number;
  readonly data: Uint8Array;
  readonly history: BlockHistory;
  readonly readBeganAt: number;
  /** When the power was lost for the last time. */
  readonly powerLostAt: number;
  /** All histories, to find where foreign data belongs. */
  readonly elsewhere: Iterable<readonly [number, BlockHistory]>;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(b);
}

/** Finds out which law the data of a block breaks; called when it is none of the contents that the block may have. */
export function diagnose(evidence: Evidence): BrokenLaw {
  return stale(evidence) ?? torn(evidence) ?? foreign(evidence);
}

function stale({ block, data, history, readBeganAt, powerLostAt }: Evidence): BrokenLaw | undefined {
  const known = [...history.versions, ...history.former];
  const old = known.findLast((version) => version.data !== undefined && sameBytes(version.data, data));
  if (old === undefined) return undefined;
  const newer = history.replacedBy(old, readBeganAt);
  if (newer === undefined || newer.durableBy === SEEN) {
    const since = `it was seen to hold ${names(history, readBeganAt)}, and nothing was written to it since`;
    return new BrokenLaw('readable', block, `holds ${old.write.label} again, but ${since}`);
  }
  if (newer.durableBy !== undefined && newer.endedAt < powerLostAt) {
    const why = `${newer.label} was acknowledged and on stable storage (${newer.durableBy}) before the power was lost`;
    return new BrokenLaw('durable', block, `holds ${old.write.label}, but ${why}`);
  }
  return new BrokenLaw(
    'readable',
    block,
    `holds ${old.write.label}, but ${newer.label} was acknowledged before the read began`,
  );
}

/** More pieces than this are not a torn block but noise. */
const MOST_PIECES = 8;

function torn({ block, data, history }: Evidence): BrokenLaw | undefined {
  const known = [...history.versions, ...history.former].filter((version) => version.data !== undefined);
  const pieces: string[] = [];
  for (let at = 0; at < data.length; ) {
    const longest = longestMatch(known, data, at);
    if (longest === undefined || pieces.length === MOST_PIECES) return undefined;
    pieces.push(`bytes ${at}-${longest.end - 1} of ${longest.version.write.label}`);
    at = longest.end;
  }
  return new BrokenLaw('whole', block, `is torn: ${pieces.join(', ')}; a block is old or new`);
}

function longestMatch(
  known: readonly Version[],
  data: Uint8Array,
  from: number,
): { version: Version; end: number } | undefined {
  let longest: { version: Version; end: number } | undefined;
  for (const version of known) {
    let end = from;
    while (end < data.length && version.data?.[end] === data[end]) end++;
    if (end > (longest?.end ?? from)) longest = { version, end };
  }
  return longest;
}

function foreign({ block, data, history, readBeganAt, elsewhere }: Evidence): BrokenLaw {
  for (const [otherBlock, other] of elsewhere) {
    const found = [...other.versions, ...other.former].find(
      (version) => version.data !== undefined && sameBytes(version.data, data),
    );
    if (found !== undefined && otherBlock !== block) {
      return new BrokenLaw('written', block, `holds what ${found.write.label} wrote to block ${otherBlock}`);
    }
  }
  const start = Buffer.from(data.subarray(0, 16)).toString('hex');
  return new BrokenLaw(
    'written',
    block,
    `holds what nobody wrote to it (${start}...): it can only be ${names(history, readBeganAt)}`,
  );
}

function names(history: BlockHistory, since: number): string {
  return history
    .readable(since)
    .map((version) => version.write.label)
    .join(' or ');
}
