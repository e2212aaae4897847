import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import { checkout } from './run.ts';

/**
 * Bundles a program of a package into one file in its node_modules, so that the machine opens one file instead of hundreds
 * and any Node runs it. Native packages are found from there.
 * @param name the file in `src` of the package, or relative to it, without `.ts`.
 * @returns the path of the bundle.
 */
export async function bundleProgram(packageFolder: string, name: string): Promise<string> {
  const core = createRequire(join(checkout, 'packages', 'core', 'package.json'));
  const rxjs = join(dirname(core.resolve('rxjs/package.json')), 'dist', 'esm', 'index.js');
  const file = join(packageFolder, 'node_modules', '.ring3-vm', 'bin', `${basename(name)}.mjs`);
  const built = await rolldown({
    input: join(packageFolder, 'src', `${name}.ts`),
    platform: 'node',
    resolve: { conditionNames: ['ring3-source', 'node', 'import'], alias: { rxjs } },
  });
  await built.write({ file, format: 'esm', codeSplitting: false });
  await built.close();
  await copyNative(join(packageFolder, 'node_modules', '.ring3-vm', 'native'));
  return file;
}

/** Where the bundled @ring3/linux looks for it: ../native. */
async function copyNative(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await copyFile(join(checkout, 'packages', 'linux', 'native', 'ports-x64.so'), join(folder, 'ports-x64.so'));
}
