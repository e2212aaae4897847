import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ArchiveEntry, cpioArchive } from './cpio.ts';
import type { Kernel } from './kernel.ts';
import { capture, findTool } from './tools.ts';
import { VmError } from './vm-error.ts';

/** What the machine cannot do without: its root file system, its share and its pipes. */
const bootModules = ['virtio_pci', '9pnet_virtio', '9p', 'virtio_console'];

/** Builds the initramfs: busybox, an init script, kernel modules in loading order, and more files. */
export async function buildInitramfs(
  kernel: Kernel,
  init: string,
  modules: readonly string[],
  more: readonly ArchiveEntry[],
): Promise<Buffer> {
  const files = await moduleFiles(kernel, [...bootModules, ...modules]);
  const busybox = await readFile(findTool('busybox') ?? '/bin/busybox');
  const folders = ['bin', 'sbin', 'modules', 'proc', 'sys', 'dev', 'host', 'lib', 'lib/modules', 'keep'];
  const entries: ArchiveEntry[] = [
    ...folders.map((path) => ({ path, mode: 0o040755 })),
    { path: 'bin/busybox', mode: 0o100755, data: busybox },
    { path: 'init', mode: 0o100755, data: Buffer.from(init) },
  ];
  for (const [index, file] of files.entries()) {
    const path = `modules/${String(index).padStart(3, '0')}-${basename(file)}`;
    entries.push({ path, mode: 0o100644, data: await readFile(file) });
  }
  return cpioArchive([...entries, ...more]);
}

/** The files of modules and of everything that they need, each once, in loading order. */
async function moduleFiles(kernel: Kernel, modules: readonly string[]): Promise<string[]> {
  const files = new Set<string>();
  for (const name of modules) for (const file of await filesOf(kernel, name)) files.add(file);
  return [...files];
}

async function filesOf(kernel: Kernel, name: string): Promise<string[]> {
  if (name.endsWith('.ko')) return [name];
  const args = ['-d', kernel.root, '-S', kernel.version, '--show-depends', name];
  const text = await capture('modprobe', args).catch((error: unknown) => {
    throw new VmError(`The kernel ${kernel.version} has no module "${name}".`, { cause: error });
  });
  return [...text.matchAll(/^insmod (\S+)/gm)].flatMap((match) => match[1] ?? []);
}
