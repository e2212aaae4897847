import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import type { TestContext } from 'vitest';

/** System programs that a test runs, each with the Debian package that holds it: `{ nbdcopy: 'libnbd-bin' }`. */
export type Tools = Readonly<Record<string, string>>;

/** Says which of these tools are missing and how to get them; `undefined` when all are there. */
export function toolsMissing(tools: Tools, searchPath = process.env['PATH'] ?? ''): string | undefined {
  const missing = Object.keys(tools).filter((tool) => !isOnPath(tool, searchPath));
  if (missing.length === 0) return undefined;
  const packages = [...new Set(missing.map((tool) => tools[tool]))];
  return `not installed: ${missing.join(', ')} (apt-get install ${packages.join(' ')})`;
}

/**
 * A `beforeEach` hook for tests that need system tools: `beforeEach(needsTools({ nbdcopy: 'libnbd-bin' }))`.
 * Without them a test is skipped with the reason, or fails where the environment says `RING3_REQUIRE_TOOLS=1`.
 */
export function needsTools(tools: Tools): (context: TestContext) => void {
  const reason = toolsMissing(tools);
  return (context) => {
    if (reason === undefined) return;
    if (process.env['RING3_REQUIRE_TOOLS'] === '1') throw new Error(reason);
    context.skip(reason);
  };
}

function isOnPath(tool: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
