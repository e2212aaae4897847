import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DIFFERENCES } from './differences.ts';

it('the README has each difference from QEMU, and no other', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, section = ''] = /## Compared with QEMU\n([\s\S]*?)\n## /.exec(readme) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| difference'));
  expect(rows).toEqual(DIFFERENCES.map(({ name, verdict, because }) => `| ${name} | ${verdict} | ${because} |`));
});
