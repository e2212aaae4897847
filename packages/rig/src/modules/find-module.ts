import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { DeviceError } from '@ring3/core';
import { didYouMean } from './did-you-mean.ts';
import { findFile, isPath } from './find-file.ts';
import { fileOf, importModule, type ModuleNamespace } from './import-module.ts';
import { installedNames } from './installed-names.ts';
import { MODULE_KINDS, type ModuleKind } from './module-kinds.ts';
import { errorCode, resolvePackage } from './resolve-module.ts';

/** Names, and `() => import('...')`. */
export type Importers = Readonly<Record<string, () => Promise<unknown>>>;

/** Where modules are looked for. */
export interface SearchPlaces {
  readonly importers: Importers;
  /** Of the configuration. */
  readonly folder: string;
}

/** A module that is there and was not loaded yet. */
export interface FoundModule {
  /** For messages. */
  readonly where: string;
  /** Its package, where it is one. */
  readonly packageName?: string;
  import(): Promise<ModuleNamespace>;
}

/** Finds what a name of the configuration means. @throws DeviceError `not-found`, or `config` where it cannot be used. */
export function findModule(kind: ModuleKind, name: string, places: SearchPlaces): FoundModule {
  if (isPath(name)) return findPath(name, places.folder);
  const builtin = builtinName(kind, name, places.importers);
  const importer = builtin === undefined ? undefined : places.importers[builtin];
  if (importer !== undefined) {
    return { where: `the built-in ${kind} ${builtin}`, import: importer as FoundModule['import'] };
  }
  for (const packageName of packageNames(kind, name)) {
    const url = findPackage(packageName, places.folder);
    if (url !== undefined) return { where: fileOf(url), packageName, import: () => importModule(url) };
  }
  throw notFound(kind, name, places);
}

/**
 * The URL of a package's entry, seen from the configuration, then from here.
 * @throws DeviceError `config` for a package that is installed and has no such entry.
 */
export function findPackage(specifier: string, folder: string): string | undefined {
  try {
    return resolvePackage(specifier, folder) ?? resolvePackage(specifier, here());
  } catch (cause) {
    const isHidden = errorCode(cause) === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
    const why = isHidden ? 'its package.json does not export this' : String(cause);
    throw new DeviceError('config', `${specifier} is installed and cannot be used: ${why}`, { cause });
  }
}

/** The key of a built-in module by its own name or by that of its package. */
export function builtinName(kind: ModuleKind, name: string, importers: Importers): string | undefined {
  return Object.keys(importers).find((key) => packageNames(kind, key).includes(name));
}

/** Names that there are, for lists and suggestions. */
export function knownNames(kind: ModuleKind, { importers, folder }: SearchPlaces): string[] {
  return [...new Set([...Object.keys(importers), ...installedNames(kind, [folder, here()])])].sort();
}

function findPath(name: string, folder: string): FoundModule {
  const { kind, file, hint } = findFile(name, folder);
  if (kind === 'file') return { where: file, import: () => importModule(pathToFileURL(file).href) };
  const details = hint === undefined ? {} : { details: { hint } };
  if (kind === 'missing') throw new DeviceError('not-found', `there is no file ${file}`, details);
  throw new DeviceError('config', `${file} ${kind === 'folder' ? 'is a folder' : `cannot be read: ${kind}`}`, details);
}

/** The packages that a name can mean; none for what no package can be called: `..`, `node:fs`, a URL. */
function packageNames(kind: ModuleKind, name: string): string[] {
  const isName = (specifier: string) => /^(@[\w.~-]+\/)?\w[\w.~-]*(\/\w[\w.~-]*)*$/.test(specifier);
  return isName(name) ? MODULE_KINDS[kind].packages.map((packageOf) => packageOf(name)).filter(isName) : [];
}

function notFound(kind: ModuleKind, name: string, places: SearchPlaces): DeviceError {
  const isFile = findFile(`./${name}`, places.folder).kind === 'file';
  const near = isFile ? `did you mean "./${name}"?` : didYouMean(name, knownNames(kind, places), `installed ${kind}s`);
  const packages = packageNames(kind, name).join(', ');
  const searched =
    packages === '' ? 'no package can have this name' : `not installed for ${places.folder}: ${packages}`;
  const hint = near ?? `${searched}; a file is named by a path that begins with ./`;
  return new DeviceError('not-found', `no ${kind} "${name}"`, { details: { hint } });
}

function here(): string {
  return dirname(fileURLToPath(import.meta.url));
}
