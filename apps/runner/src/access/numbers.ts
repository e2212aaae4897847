import { UsageError } from '../usage-error.ts';

/** Bits of one access; 64 only where the bus can. */
export type AccessWidth = 8 | 16 | 32 | 64;

/** Reads `0x43c0_0000` or `1024`. @throws UsageError that shows the form. */
export function parseNumber(text: string, what: string): bigint {
  const digits = text.replaceAll('_', '');
  if (/^(0x[0-9a-f]+|\d+)$/i.test(digits)) return BigInt(digits);
  const meant = /^[0-9a-f]+$/i.test(digits) ? `: did you mean 0x${digits}?` : ': write 0x10 or 16';
  throw new UsageError(`${what} "${text}" is no number${meant}`);
}

/** As {@link parseNumber}, for counts and offsets. */
export function parseSmallNumber(text: string, what: string): number {
  const value = Number(parseNumber(text, what));
  if (Number.isSafeInteger(value)) return value;
  throw new UsageError(`${what} ${text} is too large`);
}

/** Reads `--width`. @throws UsageError that says why it has to be given. */
export function parseWidth(text: string | undefined): AccessWidth {
  if (text === '8' || text === '16' || text === '32' || text === '64') return Number(text) as AccessWidth;
  if (text !== undefined) throw new UsageError(`--width ${text}: the widths are 8, 16, 32 and 64 bits`);
  throw new UsageError(
    'give the width of the access, --width 8, 16, 32 or 64: a wrong one can be ignored by the device or change its neighbours',
  );
}

/** Refuses an address that no access of this width can have. */
export function checkAligned(address: bigint, width: AccessWidth): void {
  const step = BigInt(width / 8);
  const beyond = address % step;
  if (beyond === 0n) return;
  const at = (value: bigint) => `0x${value.toString(16)}`;
  throw new UsageError(
    `${at(address)} is not a multiple of ${step}: an access of ${width} bits is at ${at(address - beyond)} or ${at(address - beyond + step)}`,
  );
}
