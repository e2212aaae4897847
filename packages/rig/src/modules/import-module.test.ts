import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

// vitest loads modules in its own way: what Node makes of a file, only a Node of its own can tell.

const ATTACH = 'match: [], needs: {}, provides: [], attach: (): void => {}';
const FILES: Record<string, string> = {
  'good.ts': `const name: string = 'good';\nexport default { name, ${ATTACH} };`,
  'old.cjs': `exports.__esModule = true;\nexports.default = { name: 'old', match: [], needs: {}, provides: [], attach() {} };`,
  'enum.ts': `const before = 1;\nenum Color { Red }\nexport default { name: 'enum', ${ATTACH}, before, Color };`,
  'decorator.ts': `function d(_: unknown): void {}\n@d\nclass A {}\nexport default A;`,
  'types.ts': `import { InspectOptions } from 'node:util';\nexport default {} as InspectOptions;`,
  'node_modules/packed/package.json': '{ "type": "module", "exports": "./index.ts" }',
  'node_modules/packed/index.ts': `export default { name: 'packed', ${ATTACH} };`,
};
const NAMES = ['./good.ts', './old.cjs', './enum.ts', './decorator.ts', './types.ts', 'packed'];

let folder: string;
let printed: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ring3-types-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const script = `
    import { ModuleLoader } from ${JSON.stringify(new URL('module-loader.ts', import.meta.url).href)};
    const loader = new ModuleLoader({ from: ${JSON.stringify(join(folder, 'rig.yaml'))} });
    const printed = {};
    for (const name of ${JSON.stringify(NAMES)}) {
      printed[name] = await loader.driver(name).then((d) => d.name, (e) => e.message + '; ' + e.details.hint);
    }
    console.log(JSON.stringify(printed));`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [
    '--conditions=ring3-source',
    '--input-type=module',
    '--eval',
    script,
  ]);
  printed = JSON.parse(stdout.replaceAll(folder, '')) as Record<string, string>;
});

afterAll(() => rmSync(folder, { recursive: true }));

test('a TypeScript driver by path runs unbuilt', () => {
  expect(printed['./good.ts']).toBe('good');
});

test('a CommonJS driver that was compiled from an ES module has its default export taken', () => {
  expect(printed['./old.cjs']).toBe('old');
});

test.each([
  [
    'an enum',
    './enum.ts',
    /^\/enum\.ts:2 cannot be loaded: .*enum is not supported.*; Node only strips types: .*`as const`/,
  ],
  [
    'a decorator',
    './decorator.ts',
    /^\/decorator\.ts:2 cannot be loaded: .*; decorators are no TypeScript that Node can run/,
  ],
  ['a type imported as a value', './types.ts', /^\/types\.ts:1 cannot be loaded: .*; import types with `import type`/],
  [
    'TypeScript in node_modules',
    'packed',
    /^\/node_modules\/packed\/index\.ts cannot be loaded: .*; Node runs no TypeScript inside/,
  ],
])('%s is refused with the line and the remedy', (_, name, words) => {
  expect(printed[name]).toMatch(words);
});
