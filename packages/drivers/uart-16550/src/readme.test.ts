import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { uartOptions } from './index.ts';
import { optionsSchema } from './model/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** The names in the first column of the table behind a heading. */
function documented(heading: string): string[] {
  const [, section = ''] = new RegExp(`## ${heading}\n([\\s\\S]*?)(\n## |$)`).exec(readme) ?? [];
  return [...section.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, names = '']) => names.replaceAll('`', '').split(', '));
}

it('the README has each option of the driver with its default', () => {
  const defaults = Object.entries(uartOptions.parse({}));
  expect(documented('Options').toSorted()).toEqual(defaults.map(([name]) => name).toSorted());
  for (const [, value] of defaults) expect(readme).toContain(String(value));
});

it('the README has each option of the model', () => {
  const names = [...Object.keys(optionsSchema.parse({})), 'start'];
  expect(documented('The model').toSorted()).toEqual(names.toSorted());
});
