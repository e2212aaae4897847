import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { arch, platform } from 'node:process';
import { capture, findTool } from './tools.ts';
import { VmError } from './vm-error.ts';

/** A kernel that was extracted, never installed. */
export interface Kernel {
  /** As `uname -r` says it: `6.1.0-56-amd64`. */
  readonly version: string;
  /** The file for QEMU's `-kernel`. */
  readonly image: string;
  /** The folder that holds `lib/modules/VERSION`. */
  readonly root: string;
}

/** Provides Debian's current kernel below a cache folder; downloads it the first time. */
export async function provideKernel(cache: string): Promise<Kernel> {
  if (platform !== 'linux' || arch !== 'x64') {
    throw new VmError(`The virtual machine runs on Linux on x64 only; this is ${platform} on ${arch}.`);
  }
  const present = existsSync(cache) ? await findKernel(cache) : undefined;
  return present ?? (await downloadKernel(cache));
}

/** Downloads Debian packages and extracts them into one folder. */
export async function extractPackages(names: readonly string[], target: string): Promise<void> {
  const folder = await mkdtemp(`${target}.download-`);
  try {
    for (const name of names) await download(name, folder);
    for (const file of await readdir(folder)) await capture('dpkg-deb', ['-x', join(folder, file), target]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The package that a Debian meta package stands for: linux-image-amd64 is linux-image-6.1.0-56-amd64 today. */
async function dependencyOf(meta: string, pattern: RegExp): Promise<string> {
  const text = await capture('apt-cache', ['depends', meta]).catch(() => '');
  const name = pattern.exec(text)?.[1];
  if (name !== undefined) return name;
  throw new VmError(`apt knows no package ${meta}. Run "apt-get update" as root; Debian 12 or later has it.`);
}

async function download(name: string, folder: string): Promise<void> {
  // The sandbox user _apt could not write into a folder of somebody else.
  const options = ['-o', 'APT::Sandbox::User=root', '-q'];
  try {
    await capture('apt-get', [...options, 'download', name], folder);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new VmError(`Cannot get the Debian package ${name}. "apt-get update" as root may help.\n${words}`);
  }
}

async function findKernel(cache: string): Promise<Kernel | undefined> {
  for (const version of (await readdir(cache)).filter((name) => /^\d[\w.+-]*$/.test(name)).sort()) {
    const root = join(cache, version);
    const image = join(root, 'vmlinux');
    if (existsSync(image)) return { version, image, root };
  }
  return undefined;
}

async function downloadKernel(cache: string): Promise<Kernel> {
  const name = await dependencyOf('linux-image-amd64', /Depends: (linux-image-\S+)/);
  const version = name.replace('linux-image-', '').replace('-unsigned', '');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'new-'));
  await extractPackages([name], folder);
  await capture('depmod', ['-b', folder, version]);
  await writeFile(join(folder, 'vmlinux'), unpackKernel(await readFile(join(folder, 'boot', `vmlinuz-${version}`))));
  const root = join(cache, version);
  // Somebody else may have been faster: both have the same files.
  await rename(folder, root).catch(() => rm(folder, { recursive: true, force: true }));
  return { version, image: join(root, 'vmlinux'), root };
}

/**
 * The kernel inside a bzImage, which QEMU starts directly (PVH): unpacking itself takes an emulated processor seconds.
 * Where it is packed in another way than by xz, the bzImage stays as it is.
 */
function unpackKernel(bzImage: Buffer): Buffer {
  const xz = findTool('xz');
  const magic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
  const start = bzImage.indexOf(magic);
  if (xz === undefined || start < 0) return bzImage;
  const unpacked = spawnSync(xz, ['-dc', '--single-stream'], {
    input: bzImage.subarray(start),
    maxBuffer: 512 * 1024 * 1024,
  }).stdout;
  return unpacked.subarray(0, 4).equals(Buffer.from('\x7fELF')) ? unpacked : bzImage;
}
