/** A range of addresses of the machine. */
export interface ClaimedRange {
  readonly kind: 'memory' | 'port';
  readonly start: bigint;
  readonly sizeBytes: number;
}

/** A claim that somebody holds. */
export interface HeldClaim {
  /** Who holds it, in the holder's words: `demo.yaml: ata0`. */
  readonly holder: string;
  /** Process id of the holder, as the holder sees it: in a container that is another number outside. */
  readonly pid: number;
  /** How the backend names the device: `0000:00:04.0`. */
  readonly device: string;
  /** Empty for a device without addresses. */
  readonly ranges: readonly ClaimedRange[];
}

/** The text of a record: one JSON object, addresses as hexadecimal strings. */
export function printClaim({ holder, pid, device, ranges }: HeldClaim): string {
  const printed = ranges.map(({ kind, start, sizeBytes }) => ({ kind, start: `0x${start.toString(16)}`, sizeBytes }));
  return `${JSON.stringify({ holder, pid, device, ranges: printed })}\n`;
}

/** Reads the text of a record; `undefined` for anything else, such as a record that is being written. */
export function parseClaim(text: string): HeldClaim | undefined {
  try {
    const { holder, pid, device, ranges } = JSON.parse(text) as Record<keyof HeldClaim, unknown>;
    if (typeof holder !== 'string' || typeof device !== 'string') return undefined;
    if (!Number.isInteger(pid) || !Array.isArray(ranges)) return undefined;
    return { holder: printable(holder), pid: pid as number, device: printable(device), ranges: ranges.map(parseRange) };
  } catch {
    return undefined;
  }
}

/** `memory febf1000-febf1fff`, `port 03f8-03ff`: as the kernel prints ranges. */
export function describeRange({ kind, start, sizeBytes }: ClaimedRange): string {
  const digits = kind === 'memory' ? 8 : 4;
  const [first, last] = [start, start + BigInt(sizeBytes) - 1n].map((at) => at.toString(16).padStart(digits, '0'));
  return `${kind === 'memory' ? 'memory' : 'I/O ports'} ${first}-${last}`;
}

function parseRange(range: unknown): ClaimedRange {
  const { kind, start, sizeBytes } = range as Record<keyof ClaimedRange, unknown>;
  if ((kind !== 'memory' && kind !== 'port') || !Number.isSafeInteger(sizeBytes)) throw new Error('no range');
  return { kind, start: BigInt(String(start)), sizeBytes: sizeBytes as number };
}

/** The record may be another user's, and is shown on a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '?');
}
