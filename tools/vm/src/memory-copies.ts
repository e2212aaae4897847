import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArchiveEntry } from './cpio.ts';

/** A folder of the host of which the machine has a copy in memory, seen at the same path. */
export interface MemoryCopy {
  readonly path: string;
  /** Where the copy lies in the initramfs, with its leading slash. */
  readonly copy: string;
}

/** Packages with many files: opening one of them over 9p takes an emulated processor 15 to 60 ms. */
const packages = ['vitest', '@vitest/mocker', '@vitest/spy', 'chai', 'rxjs', 'zod', 'ffi-rs'];

const loadable = /\.(c?js|mjs|json|node)$/;

/** The folders of these packages, as pnpm lays them out below node_modules. */
export async function foldersToCopy(checkout: string): Promise<MemoryCopy[]> {
  const store = join(checkout, 'node_modules', '.pnpm');
  const names = await readdir(store).catch(() => []);
  const folders = packages.flatMap((name) => {
    const prefix = `${name.replace('/', '+')}@`;
    return names
      .filter((folder) => folder.startsWith(prefix))
      .map((folder) => join(store, folder, 'node_modules', name));
  });
  return folders.map((path, index) => ({ path, copy: `/copies/${index}` }));
}

/** What Node may load from these folders, as files of an initramfs. */
export async function copyEntries(copies: readonly MemoryCopy[]): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [{ path: 'copies', mode: 0o040755 }];
  for (const { path, copy } of copies) {
    const root = copy.slice(1);
    const files = (await readdir(path, { recursive: true })).filter((file) => loadable.test(file));
    const folders = new Set([root]);
    for (const file of files) addFolders(folders, join(root, file), root);
    entries.push(...[...folders].sort().map((folder) => ({ path: folder, mode: 0o040755 })));
    for (const file of files) {
      entries.push({ path: join(root, file), mode: 0o100644, data: await readFile(join(path, file)) });
    }
  }
  return entries;
}

function addFolders(folders: Set<string>, file: string, root: string): void {
  for (let folder = dirname(file); folder.length > root.length; folder = dirname(folder)) folders.add(folder);
}
