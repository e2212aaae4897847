import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { VmError } from './vm-error.ts';

/** The programs a virtual machine needs, each with the Debian package that holds it. */
export const vmTools = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  modprobe: 'kmod',
  depmod: 'kmod',
  setpriv: 'util-linux',
  'dpkg-deb': 'dpkg',
  'apt-get': 'apt',
} as const;

/** System programs live in sbin, which is not in everybody's PATH. */
const searchPath = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter);

const run = promisify(execFile);

/** The full path of a program, or `undefined`. */
export function findTool(name: string): string | undefined {
  const candidates = searchPath.split(delimiter).filter(Boolean);
  return candidates.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Checks that programs are there.
 * @throws VmError that names what is missing and the apt-get line.
 */
export function requireTools(tools: Readonly<Record<string, string>>): void {
  const missing = Object.keys(tools).filter((tool) => findTool(tool) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tools[tool]))];
  throw new VmError(
    `The virtual machine needs ${missing.join(', ')}, which this machine does not have. On Debian:\n` +
      `  apt-get install --no-install-recommends ${packages.join(' ')}`,
  );
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws VmError with the command and what it said on stderr.
 */
export async function capture(name: string, args: readonly string[], folder?: string): Promise<string> {
  const file = findTool(name) ?? name;
  try {
    const limits = { maxBuffer: 64 * 1024 * 1024, timeout: 300_000, ...(folder === undefined ? {} : { cwd: folder }) };
    return (await run(file, args, limits)).stdout;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new VmError(`${[name, ...args].join(' ')} failed: ${said || String(error)}`, { cause: error });
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
