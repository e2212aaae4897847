import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closest } from './did-you-mean.ts';
import { errorCode } from './resolve-module.ts';

/** Whether a name of the configuration is a path. */
export function isPath(name: string): boolean {
  return /^(\.{0,2}[\\/]|[a-z]:[\\/]|file:)/i.test(name);
}

/** What is at a path: a file, nothing, or why it cannot be seen. */
export interface FoundFile {
  readonly kind: 'file' | 'folder' | 'missing' | (string & {});
  /** The absolute path. */
  readonly file: string;
  readonly hint?: string;
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'no path has such characters',
};

/** Looks for a file that the configuration names relative to `folder`. */
export function findFile(name: string, folder: string): FoundFile {
  const file = absolute(name, folder);
  if (file === undefined) return { kind: 'not a valid file URL', file: name };
  try {
    return { kind: statSync(file).isDirectory() ? 'folder' : 'file', file };
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') return { kind: WORDS[code ?? ''] ?? String(error), file };
    const near = closest(basename(file), filesOf(dirname(file)));
    return {
      kind: 'missing',
      file,
      ...(near === undefined ? {} : { hint: `did you mean "${name.slice(0, -basename(name).length)}${near}"?` }),
    };
  }
}

function absolute(name: string, folder: string): string | undefined {
  try {
    return name.startsWith('file:') ? fileURLToPath(name) : resolve(folder, name);
  } catch {
    return undefined;
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
