import { readFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import * as core from '@ring3/core';
import { expect, it } from 'vitest';
import * as sim from './index.ts';
import * as testing from './testing/index.ts';

const MODULES: Readonly<Record<string, object>> = {
  '@ring3/core': core,
  '@ring3/backend-sim': sim,
  '@ring3/backend-sim/testing': testing,
};

const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (load: (specifier: string) => object, console: { log(...values: unknown[]): void }) => Promise<void>;

it('what the README shows is what happens', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const [, snippet = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const source = stripTypeScriptTypes(snippet).replace(/^import (\{.*\}) from ('.*');$/gm, 'const $1 = load($2);');
  const printed: string[] = [];
  const load = (specifier: string) => MODULES[specifier] ?? expect.fail(`the README imports ${specifier}`);
  await new AsyncFunction('load', 'console', source)(load, { log: (...values) => printed.push(values.join(' ')) });

  const promised = [...snippet.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment]) => comment);
  expect(promised).toHaveLength(2);
  expect(printed).toEqual(promised);
});
