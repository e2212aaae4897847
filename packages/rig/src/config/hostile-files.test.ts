import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { readConfig } from './read-config.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'ring3-hostile-'));

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Twelve lists, each with ten times the one before. */
function laughs(entry: (names: string) => string): string {
  const lists = Array.from({ length: 12 }, (_, n) => Array.from({ length: 10 }, () => `*a${n - 1}`));
  return lists.map((names, n) => `a${n}: &a${n} ${entry(n === 0 ? '' : names.join(', '))}\n`).join('');
}

async function problemsOf(content: string | Buffer): Promise<string> {
  const file = join(FOLDER, 'rig.yaml');
  writeFileSync(file, content);
  const error: unknown = await readConfig(file).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error('no ConfigError', { cause: error });
  return error.message.replaceAll(FOLDER, '');
}

test.each([
  ['brackets without end', '['.repeat(20_000), /^\/rig\.yaml:1:\d+: nested too deep to be read$/],
  [
    'keys without end',
    `version: 1\ndevices: ${'{a: '.repeat(100)}${'}'.repeat(100)}`,
    /nested more than 64 levels deep/,
  ],
  ['aliases that multiply', laughs((names) => `[${names}]`), /more than 100000 values, with those of the aliases/],
  [
    'merge keys that multiply',
    laughs((names) => `{<<: [${names}]}`),
    /more than 100000 values, with those of the aliases/,
  ],
  ['an alias inside of itself', 'version: 1\ndevices: &a { b: *a }', /an alias inside of what it stands for/],
  ['bytes that are no UTF-8', Buffer.from([0x6e, 0x3a, 0x20, 0xe9]), /^\/rig\.yaml: this is no text in UTF-8$/],
  ['control characters', 'version: 1\n"a\\e[2Jb": 1\n', /unknown key "a\\u001b\[2Jb"/],
])('%s are refused in words, in time', { timeout: 20_000 }, async (_, content, words) => {
  expect(await problemsOf(content)).toMatch(words);
});

test('a file that is not there, and one that is a folder, are told apart', async () => {
  await expect(readConfig(join(FOLDER, 'none.yaml'))).rejects.toThrow(/none\.yaml: there is no such file$/);
  await expect(readConfig(FOLDER)).rejects.toThrow(/: this is a folder, a file is expected$/);
});

test('a relative path that leads nowhere is told with the folder that it starts from', async () => {
  const words = `rigs/none.yaml: there is no such file in ${process.cwd()}`;
  await expect(readConfig('rigs/none.yaml')).rejects.toThrow(words);
});
