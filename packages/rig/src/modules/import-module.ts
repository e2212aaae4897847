import { fileURLToPath } from 'node:url';
import { DeviceError } from '@ring3/core';
import { errorCode } from './resolve-module.ts';

/** The namespace of an imported module. */
export type ModuleNamespace = Readonly<Record<string, unknown>>;

const REMEDIES: Readonly<Record<string, string>> = {
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    'Node runs no TypeScript inside node_modules: publish the package as JavaScript, or name the file by a path outside of it',
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    'Node only strips types: write enums as objects `as const`, parameter properties as fields, and no namespaces with values; `erasableSyntaxOnly` in tsconfig.json finds these places',
  ERR_MODULE_NOT_FOUND:
    'install it for that folder (npm install); a driver of your own beside a checkout: docs/adding-a-driver.md',
  ERR_UNKNOWN_FILE_EXTENSION: 'a module ends in .ts, .mts, .js or .mjs',
};

/**
 * Imports a module that is known to exist.
 * @throws DeviceError `config` with the file, what happened, and in `details.hint` the remedy.
 */
export async function importModule(url: string): Promise<ModuleNamespace> {
  try {
    return (await import(/* @vite-ignore */ url)) as ModuleNamespace;
  } catch (cause) {
    const hint = remedy(cause, url);
    const message = `${fileOf(url)}${lineOf(cause, url)} cannot be loaded: ${firstLine(cause)}`;
    throw new DeviceError('config', message, { cause, ...(hint === undefined ? {} : { details: { hint } }) });
  }
}

/** `:12`, where the stack knows the line of this file. */
function lineOf(error: unknown, url: string): string {
  const [, line] = (error instanceof Error ? error.stack : undefined)?.split(fileOf(url), 2)[1]?.match(/^:(\d+)/) ?? [];
  return line === undefined ? '' : `:${line}`;
}

/** The path behind a `file:` URL. */
export function fileOf(url: string): string {
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}

function remedy(error: unknown, url: string): string | undefined {
  const known = REMEDIES[errorCode(error) ?? ''];
  if (known !== undefined || !(error instanceof SyntaxError) || !/\.m?ts$/.test(url)) return known;
  if (/does not provide an export named/.test(error.message)) return 'import types with `import type`';
  if (/Invalid or unexpected token/.test(error.message)) return 'decorators are no TypeScript that Node can run';
  return undefined;
}

function firstLine(error: unknown): string {
  const text =
    error instanceof Error ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}` : String(error);
  return text.split('\n', 1)[0] ?? '';
}
