import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestContext } from 'vitest';

/** The supported lines of Node. */
export const NODE_LINES = [22, 24, 26] as const;

const folder = join(import.meta.dirname, '..', '..', '..', '.toolchain', 'nodes');
const run = promisify(execFile);

/** A Node of a line: the one that runs this, or one that scripts/nodes.mjs has fetched. Absent: a skip that says so. */
export function nodeOfLine(line: number, context: TestContext): string {
  const own = process.versions.node.startsWith(`${line}.`) ? process.execPath : undefined;
  const path = fetched(line) ?? own;
  if (path !== undefined) return path;
  const reason = `no Node ${line} at hand (node scripts/nodes.mjs fetches it)`;
  if (process.env['RING3_REQUIRE_TOOLS'] === '1') throw new Error(reason);
  context.skip(reason);
}

/** Runs a TypeScript file of this folder in a Node with functions of V8 for tests; what it printed. */
export async function runInNode(node: string, flags: readonly string[], file: string, ...args: string[]) {
  const fixed = ['--conditions=ring3-source', '--allow-natives-syntax', '--disable-warning=ExperimentalWarning'];
  const { stdout } = await run(node, [...fixed, ...flags, join(import.meta.dirname, file), ...args], {
    maxBuffer: 2 ** 27,
  });
  return stdout;
}

function fetched(line: number): string | undefined {
  if (!existsSync(folder)) return undefined;
  const version = readdirSync(folder).find((name) => name.startsWith(`${line}.`));
  return version === undefined ? undefined : join(folder, version, 'node');
}
