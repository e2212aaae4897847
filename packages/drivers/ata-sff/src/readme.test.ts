import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ataOptions } from './index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

it('the README has each option with its default', () => {
  const defaults = ataOptions.parse({});
  const [, table = ''] = /## Options\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const documented = new Map<string, string>();
  for (const [, names = '', values = ''] of table.matchAll(/^\| (`.*?) \| (.*?) \|/gm)) {
    const list = values.replaceAll('`', '').split(', ');
    for (const [index, name] of names.replaceAll('`', '').split(', ').entries())
      if (list[index] !== 'none') documented.set(name, list[index] ?? '');
  }
  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, String(value)])),
  );
});

it('the options that the README shows are options', () => {
  const [, shown = ''] = /options: \{ (.*) \}/.exec(readme) ?? [];
  const options = Object.fromEntries(shown.split(', ').map((entry) => entry.split(': ')));
  expect(ataOptions.parse({ ...options, maxTransferBlocks: Number(options['maxTransferBlocks']) })).toMatchObject({
    writeCache: 'off',
    maxTransferBlocks: 256,
  });
});

it('the README has a row for each scenario', () => {
  for (let number = 1; number <= 30; number++) expect(readme).toMatch(new RegExp(`\\| A${number} `));
});
