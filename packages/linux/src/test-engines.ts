import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { MemoryFile } from './test-memory-file.ts';

/** The supported lines of Node. */
export const NODE_LINES = [22, 24, 26] as const;

/** Whether everything is counted (`npm run test:engines`), or what a run of all unit tests has time for. */
export const COUNTS_ALL = process.env['RING3_ENGINES'] === 'all';

/** The lines whose accesses are counted: all, or the one that runs this. */
export const COUNTED_LINES = NODE_LINES.filter((line) => COUNTS_ALL || process.versions.node.startsWith(`${line}.`));

const folder = join(import.meta.dirname, '..', '..', '..', '.toolchain', 'nodes');

/** A Node of a line: the one that runs this, or one that scripts/nodes.mjs has fetched. Absent: a skip that says so. */
export function nodeOfLine(line: number, context: TestContext): string {
  const path = findNode(line);
  if (path !== undefined) return path;
  const reason = `no Node ${line} at hand (node scripts/nodes.mjs fetches it)`;
  if (process.env['RING3_REQUIRE_TOOLS'] === '1') throw new Error(reason);
  context.skip(reason);
}

/** A Node of a line, if there is one. */
export function findNode(line: number): string | undefined {
  const own = process.versions.node.startsWith(`${line}.`) ? process.execPath : undefined;
  return fetched(line) ?? own;
}

/** Runs a TypeScript file of this folder in a Node with functions of V8 for tests; what it printed. */
export function runInNode(node: string, flags: readonly string[], file: string, ...args: readonly string[]) {
  return runNode(node, [...flags, join(import.meta.dirname, file), ...args]);
}

/** Runs a Node with these arguments; what it printed. */
export async function runNode(node: string, args: readonly string[]): Promise<string> {
  const fixed = ['--conditions=ring3-source', '--allow-natives-syntax', '--disable-warning=ExperimentalWarning'];
  const output = new MemoryFile(0); // V8 itself prints: what a pipe does not take at once would be lost.
  const errors = new MemoryFile(0);
  const child = spawn(node, [...fixed, ...args], {
    stdio: ['ignore', output.fd, errors.fd],
  });
  const [status, signal] = (await once(child, 'exit')) as [number | null, string | null];
  const [printed, complaint] = [output, errors].map(({ path }) => readFileSync(path, 'utf8')) as [string, string];
  output.close();
  errors.close();
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status ?? signal}: ${complaint}`);
  return printed;
}

function fetched(line: number): string | undefined {
  if (!existsSync(folder)) return undefined;
  const version = readdirSync(folder).find((name) => name.startsWith(`${line}.`));
  return version === undefined ? undefined : join(folder, version, 'node');
}
