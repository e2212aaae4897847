import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ModuleKind } from './module-kinds.ts';

const PREFIXES: Readonly<Record<ModuleKind, string>> = {
  driver: 'driver-',
  model: 'driver-',
  backend: 'backend-',
  exporter: 'exporter-',
};

/** Short names of the packages of the scope `@ring3` that are installed for one of `folders`. */
export function installedNames(kind: ModuleKind, folders: readonly string[]): string[] {
  const prefix = PREFIXES[kind];
  const packages = folders.flatMap(upwards).flatMap((folder) => list(join(folder, 'node_modules', '@ring3')));
  return packages.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

function upwards(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
