import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { needsQemu } from './test-machine.ts';

beforeEach(needsQemu);

const ROOT = join(import.meta.dirname, '..', '..', '..');
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const snippets = [...readme.matchAll(/```ts.*\n([\s\S]*?)```/g)].map(([, code = '']) => code);

it.each(snippets)('the README shows what happens: snippet %#', async (snippet) => {
  const folder = join(ROOT, 'reports/snippets', `qemu-${snippets.indexOf(snippet)}`);
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'snippet.ts');
  writeFileSync(file, snippet);
  const resolver = join(ROOT, 'tests/resolve-from-packages.ts');
  const args = ['--conditions=ring3-source', '--disable-warning=ExperimentalWarning', '--import', resolver, file];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
  const promised = [...snippet.matchAll(/console\.log\(.*\/\/ (.*)/g)].map(([, line]) => line);
  expect(stdout.trim().split('\n')).toEqual(promised);
});
