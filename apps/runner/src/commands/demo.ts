import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DeviceError } from '@ring3/core';
import { demoScreen } from '../screen.ts';
import { type RunOptions, runSource } from './run.ts';

/** Options of `ring3 demo`. */
export interface DemoOptions extends RunOptions {
  readonly image?: string;
}

/** `ring3 demo`, which `npm start` runs: the demo rig on the simulator. */
export async function demo(options: DemoOptions): Promise<void> {
  const rigs = findRigs();
  const file = join(rigs, 'demo.yaml');
  const image = await provideImage(rigs, options.image);
  const set = { 'devices.ata0.backend.options.image': image };
  await runSource({ file, set }, { logFormat: 'text', ...options }, (rig) =>
    process.stdout.write(demoScreen('demo', rig, { path: process.env['PATH'], ownImage: options.image !== undefined })),
  );
}

/** The person's own image, or the demo disk, unpacked at the first start. */
async function provideImage(rigs: string, own: string | undefined): Promise<string> {
  if (own !== undefined) {
    // npm runs scripts in the folder of the project; the person meant the folder that they typed the command in.
    const image = resolve(process.env['INIT_CWD'] ?? process.cwd(), own);
    if (existsSync(image)) return image;
    throw new DeviceError('not-found', `there is no image ${image}; make one: truncate -s 64M ${own}`);
  }
  const image = join(dirname(rigs), '.ring3', 'demo-disk.img');
  if (existsSync(image)) return image;
  await mkdir(dirname(image), { recursive: true });
  const { gunzip } = await import('node:zlib');
  const unpacked = await promisify(gunzip)(await readFile(join(rigs, 'demo-disk.img.gz')));
  await writeFile(`${image}.new`, unpacked);
  await rename(`${image}.new`, image);
  process.stdout.write(`made a demo disk: ${image}\n`);
  return image;
}

/** The folder `rigs` above this file, which is source in a checkout. */
function findRigs(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'rigs', 'demo.yaml'))) return join(folder, 'rigs');
  }
  throw new DeviceError(
    'not-found',
    'the demo rig is part of the source checkout (rigs/demo.yaml); an installed runner runs `ring3 run CONFIG`',
  );
}
