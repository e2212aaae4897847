/** How bad it is: `problem` keeps a device from working, `warning` may, for somebody. */
export type Level = 'ok' | 'warning' | 'problem';

/** One thing that was looked at. */
export interface Finding {
  readonly level: Level;
  /** What was looked at: `node`, `uio`, `device fpga0`. */
  readonly about: string;
  /** What was found. */
  readonly says: string;
  /** Why that matters, or where it comes from; for warnings and problems. */
  readonly cause?: string;
  /** What to do: lines to paste. */
  readonly remedy?: string;
}

/** Something is as it should be. */
export function good(about: string, says: string): Finding {
  return { level: 'ok', about, says };
}

/** Something is not. */
export type Complaint = Required<Pick<Finding, 'about' | 'says' | 'cause' | 'remedy'>>;

/** What a complaint looks like on a terminal. */
export function formatFinding({ level, about, says, cause, remedy }: Finding): string {
  const lines = [`${level.padEnd(8)} ${about}: ${says}`];
  if (cause !== undefined) lines.push(...indented('because', cause));
  if (remedy !== undefined) lines.push(...indented('remedy', remedy));
  return `${lines.join('\n')}\n`;
}

function indented(title: string, text: string): string[] {
  const [first = '', ...rest] = text.split('\n');
  const head = `         ${title}: `;
  return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(head.length)}${line}`)];
}
