import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { extractPackages, type Kernel, provideKernel } from './kernel.ts';
import { capture, requireTools } from './tools.ts';
import { VmError } from './vm-error.ts';

/** The source of the test module; its header says what it offers. */
const sourceFile = new URL('../module/ring3_uio_test.c', import.meta.url);
const sourceName = basename(sourceFile.pathname, '.c');

/**
 * Builds the test module for the machine's kernel, once for each state of its source.
 * @returns the path of the .ko file.
 * @throws VmError when gcc or make is missing, or with what they said.
 */
export async function provideTestModule(cache: string): Promise<string> {
  requireTools({ gcc: 'gcc', make: 'make', modprobe: 'kmod', 'dpkg-deb': 'dpkg', 'apt-get': 'apt' });
  const kernel = await provideKernel(cache);
  const source = await readFile(sourceFile);
  const target = join(
    kernel.root,
    `${sourceName}-${createHash('sha256').update(source).digest('hex').slice(0, 12)}.ko`,
  );
  if (existsSync(target)) return target;
  const headers = await provideHeaders(kernel, cache);
  const folder = await mkdtemp(join(cache, 'module-'));
  try {
    await copyFile(sourceFile, join(folder, `${sourceName}.c`));
    await writeFile(join(folder, 'Makefile'), `obj-m := ${sourceName}.o\nccflags-y := -Werror\n`);
    await capture('make', ['-C', headers, `M=${folder}`, 'modules']);
    await rename(join(folder, `${sourceName}.ko`), target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return target;
}

/** Debian's headers of exactly this kernel, extracted beside it. Their Makefile names absolute paths: it is rewritten. */
async function provideHeaders(kernel: Kernel, cache: string): Promise<string> {
  const root = join(cache, `headers-${kernel.version}`);
  const sources = join(root, 'usr', 'src');
  const folder = join(sources, `linux-headers-${kernel.version}`);
  if (existsSync(join(folder, '.ring3'))) return folder;
  await rm(root, { recursive: true, force: true });
  const common = kernel.version.replace(/-[^-]+$/, '-common');
  const kbuild = await kbuildPackage(kernel.version);
  await extractPackages([`linux-headers-${kernel.version}`, `linux-headers-${common}`, kbuild], root);
  await writeFile(join(folder, 'Makefile'), `include ${join(sources, `linux-headers-${common}`, 'Makefile')}\n`);
  await writeFile(join(folder, '.ring3'), '');
  return folder;
}

/** Debian 12 calls it linux-kbuild-6.1, Debian 13 linux-kbuild-6.12.48+deb13. */
async function kbuildPackage(version: string): Promise<string> {
  const text = await capture('apt-cache', ['depends', `linux-headers-${version}`]).catch(() => '');
  const name = /Depends: (linux-kbuild-\S+)/.exec(text)?.[1];
  if (name !== undefined) return name;
  throw new VmError(
    `apt knows no headers of the kernel ${version}, perhaps because there is a newer one: remove .toolchain/vm.`,
  );
}
