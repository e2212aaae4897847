/** What the host saw when a DRQ block could be moved, or at the end. */
export interface Phase {
  /** The interrupt came before Status was read. */
  readonly interrupt: boolean;
  readonly status: number;
}

/** Everything that a host can see of one step. */
export interface Observation {
  /** One for each DRQ block, and one for the end. */
  readonly phases: readonly Phase[];
  /** The registers when all is over, by name; with HOB set as `... before`. */
  readonly registers: Readonly<Record<string, number>>;
  /** What was read from the device. */
  readonly data: Uint8Array;
  /** Sectors that were moved by the processor. */
  readonly sectors: number;
  /** The device did not come to an end, and the host reset the channel. */
  readonly abandoned: boolean;
}

/** An observation as numbers with names, which can be compared one by one. */
export type Fields = Record<string, number>;

/** Names both observations; blocks that only one of them has are counted, not compared. */
export function fieldsOf(seen: Observation, other: Observation, words: boolean): Fields {
  const fields: Fields = { ...seen.registers, blocks: seen.phases.length, sectors: seen.sectors };
  fields['abandoned'] = Number(seen.abandoned);
  const common = Math.min(seen.phases.length, other.phases.length) - 1;
  for (const [index, { interrupt, status }] of seen.phases.entries()) {
    const last = index === seen.phases.length - 1;
    if (!last && index >= common) continue;
    fields[last ? 'end status' : `block ${index} status`] = status;
    fields[last ? 'end interrupt' : `block ${index} interrupt`] = Number(interrupt);
  }
  const length = Math.min(seen.data.length, other.data.length);
  fields['bytes'] = seen.data.length;
  if (words) for (let at = 0; at < length; at += 2) fields[`word ${at / 2}`] = word(seen.data, at);
  else fields['data'] = checksum(seen.data.subarray(0, length));
  return fields;
}

/** Something that is not the same. */
export interface Mismatch {
  readonly what: string;
  readonly ours: number;
  readonly theirs: number;
}

export function mismatches(ours: Fields, theirs: Fields): Mismatch[] {
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  const all = [...names].map((what) => ({ what, ours: ours[what] ?? -1, theirs: theirs[what] ?? -1 }));
  return all.filter((each) => each.ours !== each.theirs);
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

/** FNV-1a: which data it is. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
}
