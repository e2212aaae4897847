/** One line of the report. */
export interface Row {
  readonly what: string;
  /** With its unit: `512 MB/s`. */
  readonly ring3: string;
  /** What it is compared with, and that figure. */
  readonly peer?: string;
  /** ring3 over peer, as the target counts it. */
  readonly ratio?: number;
  /** In words: `at least 10 %`. */
  readonly target?: string;
  readonly met?: boolean;
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const head = ['what', 'ring3', 'peer', 'ratio', 'target', 'met'];
  const cells = rows.map((row) => [
    row.what,
    row.ring3,
    row.peer ?? '',
    row.ratio === undefined ? '' : row.ratio.toPrecision(3),
    row.target ?? '',
    row.met === undefined ? '' : row.met ? 'yes' : 'NO',
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)));
  const line = (parts: readonly string[]) =>
    `| ${parts.map((part, column) => part.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
