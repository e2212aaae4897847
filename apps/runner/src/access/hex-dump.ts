import type { AccessWidth } from './numbers.ts';

const LINE_BYTES = 16;

/**
 * Words as `hexdump` shows them: 16 bytes a line, bytes with their characters, and `*` for lines like the one before.
 * The last line is always there.
 */
export function hexDump(start: bigint, values: readonly (number | bigint)[], width: AccessWidth): string[] {
  const perLine = LINE_BYTES / (width / 8);
  const lines: string[] = [];
  let before: string | undefined;
  for (let index = 0; index < values.length; index += perLine) {
    const words = values.slice(index, index + perLine);
    const text = words.map((word) => word.toString(16).padStart(width / 4, '0')).join(' ');
    const isLast = index + perLine >= values.length;
    if (text === before && !isLast) {
      if (lines.at(-1) !== '*') lines.push('*');
      continue;
    }
    before = text;
    const address = (start + BigInt((index * width) / 8)).toString(16).padStart(8, '0');
    lines.push(`${address}: ${width === 8 ? `${text.padEnd(LINE_BYTES * 3)} ${characters(words)}` : text}`);
  }
  return lines;
}

function characters(bytes: readonly (number | bigint)[]): string {
  const shown = bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(Number(byte)) : '.'));
  return `|${shown.join('')}|`;
}
