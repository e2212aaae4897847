import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type DeviceError, defineDriver } from '@ring3/core';
import { afterEach, expect, test } from 'vitest';
import { ModuleLoader, type ModuleLoaderOptions } from './module-loader.ts';

const folders: string[] = [];
const driver = (name: string) => `export default { name: '${name}', match: [], needs: {}, provides: [], attach() {} };`;
const BLINKER = defineDriver({ name: 'blinker', match: [], needs: {}, provides: [], attach: () => undefined });
const MODEL = `const options = { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } };
export default { name: 'model', options, describe() {}, create() {} };`;
const manifest = (exports: unknown) => JSON.stringify({ type: 'module', exports });

/** A loader for a configuration in a new folder that has these files. */
function loaderFor(files: Record<string, string>, options: ModuleLoaderOptions = {}): ModuleLoader {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-loader-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return new ModuleLoader({ ...options, from: join(folder, 'rig.yaml') });
}

function failure(promise: Promise<unknown>): Promise<{ code: string; message: string; hint: unknown }> {
  return promise.then(
    () => Promise.reject(new Error('it was loaded')),
    ({ code, message, details }: DeviceError) => ({ code, message, hint: details['hint'] }),
  );
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

test('a path is relative to the configuration', async () => {
  const loader = loaderFor({ 'drivers/blinker.ts': driver('blinker') });

  expect((await loader.driver('./drivers/blinker.ts')).name).toBe('blinker');
  expect((await loader.driver(`${loader.folder}/drivers/blinker.ts`)).name).toBe('blinker');
});

test('a built-in driver answers to its short name and to that of its package, and wins over node_modules', async () => {
  const builtins = { drivers: { blinker: async () => ({ default: { ...BLINKER, name: 'built in' } }) } };
  const installed = {
    'node_modules/@ring3/driver-blinker/index.js': driver('installed'),
    'node_modules/@ring3/driver-blinker/package.json': manifest('./index.js'),
  };
  const loader = loaderFor(installed, { builtins });

  expect((await loader.driver('blinker')).name).toBe('built in');
  expect((await loader.driver('@ring3/driver-blinker')).name).toBe('built in');
});

test('a short name means the package of ring3 first, then the package of that name', async () => {
  const loader = loaderFor({
    'node_modules/@ring3/driver-one/index.js': driver('@ring3/driver-one'),
    'node_modules/@ring3/driver-one/package.json': manifest('./index.js'),
    'node_modules/one/index.js': driver('one'),
    'node_modules/one/package.json': manifest('./index.js'),
    'node_modules/two/index.js': driver('two'),
    'node_modules/two/package.json': manifest({ '.': { import: './index.js' } }),
  });

  expect((await loader.driver('one')).name).toBe('@ring3/driver-one');
  expect((await loader.driver('two')).name).toBe('two');
});

test('a module is imported once', async () => {
  const loader = loaderFor({ 'blinker.mjs': driver('blinker') });

  expect(await loader.driver('./blinker.mjs')).toBe(await loader.driver('./blinker.mjs'));
});

test('what is not there is not found, and a near name is proposed', async () => {
  const builtins = { drivers: { 'ata-sff': async () => ({ default: BLINKER }) } };
  const loader = loaderFor({ 'blinker.ts': '', 'node_modules/@ring3/driver-uart/package.json': '{}' }, { builtins });

  expect(await failure(loader.driver('ata-fss'))).toMatchObject({
    code: 'not-found',
    message: 'no driver "ata-fss"',
    hint: 'did you mean "ata-sff"?',
  });
  expect(await failure(loader.driver('urat'))).toMatchObject({ hint: 'did you mean "uart"?' });
  expect(await failure(loader.driver('something'))).toMatchObject({ hint: 'installed drivers: ata-sff, uart' });
  expect(await failure(loader.driver('blinker.ts'))).toMatchObject({ hint: 'did you mean "./blinker.ts"?' });
  expect(await failure(loader.driver('./blinkr.ts'))).toMatchObject({
    code: 'not-found',
    message: `there is no file ${loader.folder}/blinkr.ts`,
    hint: 'did you mean "./blinker.ts"?',
  });
});

test('what is there and fails when it is imported says which file and why', async () => {
  const text = "throw new Error('no such chip')";
  const loader = loaderFor({
    'a.js': text,
    'b.js': "import 'not-installed';",
    'node_modules/c/index.js': text,
    'node_modules/c/package.json': manifest('./index.js'),
  });
  const { folder } = loader;

  expect(await failure(loader.driver('./a.js'))).toMatchObject({
    code: 'config',
    message: expect.stringMatching(/a\.js\S* cannot be loaded: no such chip$/),
  });
  expect(await failure(loader.driver('./b.js'))).toMatchObject({
    code: 'config',
    message: expect.stringContaining("'not-installed'"),
  });
  expect(await failure(loader.driver('c'))).toMatchObject({
    code: 'config',
    message: expect.stringContaining(`${folder}/node_modules/c/index.js`),
  });
});

test('what is something else says what it exports and what was expected', async () => {
  const loader = loaderFor({
    'named.js': driver('x').replace('default', 'const blinker ='),
    'empty.js': 'export const a = 1, b = 2;',
    'half.js': "export default { name: 'half', match: [], needs: {}, provides: [] };",
    'node_modules/hidden/package.json': manifest({ './other': './index.js' }),
  });

  expect(await failure(loader.driver('./named.js'))).toMatchObject({
    code: 'config',
    hint: 'write `export default blinker`',
  });
  expect((await failure(loader.driver('./empty.js'))).message).toMatch(
    /has no default export made by defineDriver\(\); it exports a, b$/,
  );
  expect((await failure(loader.driver('./half.js'))).message).toMatch(
    /is no driver: `attach` is missing; make it with defineDriver\(\)$/,
  );
  expect((await failure(loader.backend('./half.js'))).message).toMatch(
    /is no backend: `type` is missing; make it with defineBackend\(\)$/,
  );
  expect((await failure(loader.driver('hidden'))).message).toMatch(/^hidden is installed and cannot be used/);
});

test('the model of a driver is built in under its name, a sub-path of its package, or a file beside it', async () => {
  const builtin = async () => ({ default: {} });
  const loader = loaderFor(
    {
      'blinker.ts': driver('blinker'),
      'blinker.model.ts': MODEL,
      'alone.ts': driver('alone'),
      'node_modules/@ring3/driver-uart/index.js': driver('uart'),
      'node_modules/@ring3/driver-uart/model.js': MODEL,
      'node_modules/@ring3/driver-uart/package.json': manifest({ '.': './index.js', './model': './model.js' }),
      'node_modules/bare/index.js': driver('bare'),
      'node_modules/bare/package.json': manifest('./index.js'),
    },
    { builtins: { drivers: { disk: builtin }, models: { disk: builtin } } },
  );

  expect(await loader.modelOf('@ring3/driver-disk')).toBe('disk');
  expect(await loader.modelOf('./blinker.ts')).toBe('./blinker.model.ts');
  expect(await loader.modelOf('uart')).toBe('@ring3/driver-uart/model');
  expect(await loader.modelOf('./alone.ts')).toBeUndefined();
  expect(await loader.modelOf('bare')).toBeUndefined();
  for (const name of ['./blinker.model.ts', '@ring3/driver-uart/model', 'uart'])
    expect((await loader.model(name)).name).toBe('model');
  expect(await loader.load('uart')).toHaveProperty('default.name', 'model');
});

test.each([
  '',
  '.',
  '..',
  '../',
  'node:fs',
  'fs',
  'https://example.org/x.js',
  'a b',
  '@ring3/',
  'file://host/x',
  './a\0b',
  '__proto__',
])('a name that can be nothing (%j) is refused like any other', async (name) => {
  expect(['not-found', 'config']).toContain((await failure(loaderFor({}).driver(name))).code);
});

test('names are those of built-in modules, of the packages of ring3, and of packages that depend on its core', () => {
  const loader = loaderFor(
    {
      'node_modules/@ring3/driver-uart/package.json': '{}',
      'node_modules/@ring3/backend-uio/package.json': '{}',
      'node_modules/@acme/blinker/package.json': '{ "peerDependencies": { "@ring3/core": "^1" } }',
      'node_modules/express/package.json': '{ "dependencies": {} }',
      'node_modules/broken/package.json': '{',
    },
    { builtins: { drivers: { disk: async () => ({}) } } },
  );

  expect(loader.names('driver')).toEqual(['@acme/blinker', 'disk', 'uart']);
  expect(loader.names('backend')).toEqual(['@acme/blinker', 'uio']);
});
