import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModuleKind } from './module-kinds.ts';

const PREFIXES: Readonly<Record<ModuleKind, string>> = {
  driver: 'driver-',
  model: 'driver-',
  backend: 'backend-',
  exporter: 'exporter-',
};

/**
 * Names that may mean modules of a kind: packages `@ring3/driver-...` by their short names, and packages of others that
 * depend on `@ring3/core`, whose kind only loading shows.
 */
export function installedNames(kind: ModuleKind, folders: readonly string[]): string[] {
  const roots = new Set(folders.flatMap(upwards).map((folder) => join(folder, 'node_modules')));
  return [...roots].flatMap(packagesIn).flatMap(({ name, folder }) => {
    if (!name.startsWith('@ring3/')) return dependsOnCore(folder) ? [name] : [];
    const short = name.slice('@ring3/'.length);
    return short.startsWith(PREFIXES[kind]) ? [short.slice(PREFIXES[kind].length)] : [];
  });
}

function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

function packagesIn(root: string): { readonly name: string; readonly folder: string }[] {
  const names = list(root).flatMap((entry) => {
    if (entry.startsWith('.')) return [];
    return entry.startsWith('@') ? list(join(root, entry)).map((inner) => `${entry}/${inner}`) : [entry];
  });
  return names.map((name) => ({ name, folder: join(root, name) }));
}

function dependsOnCore(folder: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    return [manifest['dependencies'], manifest['peerDependencies']].some(
      (section) => typeof section === 'object' && section !== null && '@ring3/core' in section,
    );
  } catch {
    return false;
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
