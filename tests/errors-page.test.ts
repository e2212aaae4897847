import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEVICE_ERROR_CODES } from '../packages/core/src/index.ts';
import { ROOT } from './workspace.ts';

/** The sections of the page by their headings, as running text. */
function sections(): Map<string, string> {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const [, ...parts] = page.split(/^## /m);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.replaceAll(/\s+/g, ' ')]));
}

it('docs/errors.md has a section for every code, and for nothing else', () => {
  expect([...sections().keys()]).toEqual(Object.keys(DEVICE_ERROR_CODES));
});

it.each(Object.entries(DEVICE_ERROR_CODES))('docs/errors.md says of %s what the code says', (code, facts) => {
  const section = sections().get(code);
  expect(section).toMatch(/\*\*Meaning\.\*\* [A-Z]/);
  expect(section).toContain(`**Cause.** ${facts.cause}`);
  expect(section).toContain(`**Remedy.** ${facts.remedy.replace(/\.$/, '')}`);
});
