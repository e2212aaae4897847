// Builds and packs every public package and looks at the tarball as its user gets it.
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const execute = promisify(execFile);
const folder = join('reports', 'packages');

try {
  process.exitCode = (await checkAll()) ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function checkAll() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await step('build', 'turbo', ['run', 'build', '--output-logs=errors-only']);
  const manifests = globSync('{apps,packages,packages/drivers}/*/package.json').filter((file) => !read(file).private);
  const problems = (await Promise.all(manifests.map((file) => check(dirname(file), read(file))))).flat();
  for (const problem of problems) console.error(problem);
  console.error(`${manifests.length} packages, ${problems.length} problems`);
  return problems.length === 0 && manifests.length > 0;
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

async function step(what, command, args) {
  try {
    return (await execute(command, args, { maxBuffer: 64 << 20 })).stdout;
  } catch (error) {
    throw new Error(`${what} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

async function check(directory, manifest) {
  const { name } = manifest;
  const pack = ['--dir', directory, 'pack', '--json', '--pack-destination', join(process.cwd(), folder)];
  const { filename } = JSON.parse(await step(`packing ${name}`, 'pnpm', pack));
  const found = await Promise.all([
    contents(filename),
    lint(filename),
    types(filename, manifest),
    loads(directory, manifest),
  ]);
  return found.flat().map((problem) => `${name}: ${problem}`);
}

/** What no tool looks for: sources, tests and paths of the machine that packed it. */
async function contents(tarball) {
  const files = (await step('listing', 'tar', ['-tzf', tarball])).trim().split('\n');
  const text = await step('unpacking', 'tar', ['-xzOf', tarball]);
  const wanted = ['package/package.json', 'package/README.md', 'package/LICENSE'];
  return [
    ...wanted.filter((file) => !files.includes(file)).map((file) => `${file} is missing`),
    ...files
      .filter((file) => /\.test\.|\/test-|\/src\//.test(file))
      .map((file) => `${file} does not belong in a package`),
    ...['ring3-source', 'workspace:', 'catalog:', `${process.cwd()}/`]
      .filter((trace) => text.includes(trace))
      .map((trace) => `the tarball says "${trace}"`),
  ];
}

async function lint(tarball) {
  const packed = readFileSync(tarball);
  const buffer = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true });
  return messages.map((message) => formatMessage(message, pkg, { color: false }));
}

/** A command has no types; every other package answers each way of importing that ES modules have. */
async function types(tarball, manifest) {
  if (manifest.bin !== undefined) return [];
  try {
    await execute('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color', '--format', 'ascii']);
    return [];
  } catch (error) {
    return [`are the types wrong?\n${error.stdout}${error.stderr}`];
  }
}

/** Plain Node, without our condition, loads every file that was built; suites need vitest around them. */
async function loads(directory, manifest) {
  const commands = Object.values(manifest.bin ?? {});
  const skipped = [...commands.map((file) => join(directory, file)), join(directory, 'dist', 'testing')];
  const built = globSync(`${directory}/dist/**/*.js`).filter((file) => !skipped.some((path) => file.startsWith(path)));
  const imports = built.map((file) => `await import(${JSON.stringify(pathToFileURL(file))});`);
  const runs = [
    ['--input-type=module', '--eval', imports.join('\n')],
    ...commands.map((file) => [join(directory, file), '--help']),
  ];
  const outcomes = await Promise.allSettled(runs.map((args) => execute('node', args, { timeout: 20_000 })));
  return outcomes.flatMap(({ reason }) => (reason === undefined ? [] : [`Node does not load it\n${reason.stderr}`]));
}
