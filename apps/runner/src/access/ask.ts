import type { Readable, Writable } from 'node:stream';
import { DeclinedError, UsageError } from '../usage-error.ts';

/** What asking takes. */
export interface AskOptions {
  /** `--yes`: the answer is known. */
  readonly yes?: boolean;
}

/** Whom to ask; both are a terminal where there is somebody. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
}

/**
 * Asks on the terminal whether to go on.
 * @throws DeclinedError when the answer is not yes, UsageError where there is no terminal to ask on.
 */
export async function confirm(
  statement: string,
  question: string,
  { yes = false }: AskOptions,
  { input, output }: Terminal = { input: process.stdin, output: process.stderr },
): Promise<void> {
  if (yes) return;
  if (input.isTTY !== true || output.isTTY !== true) {
    throw new UsageError(`${statement}. There is no terminal to ask on: add --yes`);
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input, output });
  try {
    const answer = await terminal.question(`${statement}. ${question} [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) throw new DeclinedError('nothing was done');
  } finally {
    terminal.close();
  }
}
