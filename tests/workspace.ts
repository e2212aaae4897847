import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, { readonly 'ring3-source'?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** The folder of this repository. */
export const ROOT = resolve(import.meta.dirname, '..');

/** Every package, with its folder. */
export function packages(): { readonly folder: string; readonly manifest: Manifest }[] {
  return globSync('{apps,packages,packages/drivers,tools}/*/package.json', { cwd: ROOT }).map((file) => ({
    folder: join(ROOT, dirname(file)),
    manifest: JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Manifest,
  }));
}

/** What a snippet may import, and where it is: the packages' sources, and what they depend on. Sub-paths come first. */
export function importPaths(): Readonly<Record<string, string>> {
  const paths = new Map<string, string>();
  for (const { folder, manifest } of packages()) {
    for (const [path, targets] of Object.entries(manifest.exports ?? {})) {
      const source = targets['ring3-source'];
      if (source !== undefined) paths.set(join(manifest.name, path), join(folder, source));
    }
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const installed = join(folder, 'node_modules', name);
      if (!name.startsWith('@ring3/') && existsSync(installed)) paths.set(name, installed);
    }
  }
  return Object.fromEntries([...paths].sort(([a], [b]) => b.length - a.length));
}
