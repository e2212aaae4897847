import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { fileOf, ownTestOf, promisedOutput, type Snippet, snippetsIn, unmarked } from './snippets.ts';
import { importPaths, ROOT } from './workspace.ts';

const execute = promisify(execFile);
const WORK = join(ROOT, 'reports/snippets');
/** Long enough for a machine that is busy with something else. */
const PATIENT = { timeout: 120_000 };

const documents = globSync(['*.md', 'docs/**/*.md', '{apps,packages,packages/drivers,tools}/*/*.md', 'bench/*.md'], {
  cwd: ROOT,
  exclude: (path) => path.includes('node_modules'),
}).sort();

function read(document: string): Snippet[] {
  return snippetsIn(readFileSync(join(ROOT, document), 'utf8'));
}

function folderOf(document: string): string {
  return join(WORK, document.replaceAll(/[/\\]/g, '-').replace(/\.md$/, ''));
}

beforeAll(() => {
  rmSync(WORK, { recursive: true, force: true });
  for (const document of documents) {
    for (const snippet of read(document)) {
      const file = fileOf(snippet);
      if (file === undefined) continue;
      mkdirSync(folderOf(document), { recursive: true });
      writeFileSync(join(folderOf(document), file), snippet.code);
    }
  }
});

describe.each(documents)('%s', (document) => {
  it('marks every block of code: it is executed, or a sketch', () => {
    expect(unmarked(read(document))).toEqual([]);
    for (const test of read(document).map(ownTestOf)) {
      if (test === undefined) continue;
      expect(readFileSync(join(ROOT, dirname(document), test), 'utf8'), test).toContain('README');
    }
  });

  for (const snippet of read(document).filter(({ mark }) => mark === 'run')) {
    it(`does what it says in line ${snippet.line}`, PATIENT, async () => {
      const file = join(folderOf(document), fileOf(snippet) ?? '');
      const resolver = join(ROOT, 'tests/resolve-from-packages.ts');
      const args = ['--conditions=ring3-source', '--disable-warning=ExperimentalWarning', '--import', resolver, file];
      const { stdout } = await execute(process.execPath, args, { cwd: folderOf(document), timeout: 60_000 });
      const promised = promisedOutput(snippet);
      expect(stdout.split('\n').filter((line) => promised.includes(line))).toEqual(promised);
    });
  }
});

it('what the documents test with vitest passes', PATIENT, async () => {
  const include = documents.flatMap((document) =>
    read(document)
      .map(fileOf)
      .filter((file) => file?.endsWith('.test.ts') === true)
      .map((file) => join(folderOf(document), file ?? '')),
  );
  const config = { resolve: { alias: importPaths() }, test: { include } };
  writeFileSync(join(WORK, 'vitest.config.mjs'), `export default ${JSON.stringify(config, undefined, 2)};\n`);
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = { cwd: WORK, env: { ...process.env, NO_COLOR: '1' } };
  const { stdout } = await execute(process.execPath, [vitest, 'run'], options);
  expect(stdout).toMatch(new RegExp(`Test Files +${include.length} passed`));
});

it('what the documents run has the right types', PATIENT, async () => {
  mkdirSync(WORK, { recursive: true });
  const pathsForTypeScript = Object.fromEntries(Object.entries(importPaths()).map(([name, path]) => [name, [path]]));
  // Readers may write details.block: that one rule is our own.
  const ourOwn = { noPropertyAccessFromIndexSignature: false };
  const compilerOptions = {
    ...ourOwn,
    noEmit: true,
    paths: pathsForTypeScript,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const config = { extends: '../../tsconfig.base.json', compilerOptions, include: ['**/*.ts'] };
  writeFileSync(join(WORK, 'tsconfig.json'), JSON.stringify(config, undefined, 2));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout } = await execute(process.execPath, [tsc, '-p', WORK]).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
});
