import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ModuleLoader } from '../modules/index.ts';
import { ConfigError } from './config-error.ts';
import { FAKES } from './fixtures/modules.ts';
import { readConfig } from './read-config.ts';

const FOLDER = fileURLToPath(new URL('fixtures/broken', import.meta.url));
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

/** What `ring3 check` prints, with paths as they are in the folder of the fixtures. */
async function printed(name: string): Promise<string> {
  const file = relative(process.cwd(), join(FOLDER, name));
  const loader = new ModuleLoader({ builtins: FAKES, from: file });
  const error = await readConfig(file, loader).catch((reason: unknown) => reason);
  if (!(error instanceof ConfigError)) throw new Error(`${name} was found good`, { cause: error });
  return error.message
    .replaceAll(`${FOLDER}`, '')
    .replaceAll(relative(process.cwd(), FOLDER), '')
    .replaceAll(/^\//gm, '');
}

test('every broken configuration is told line by line what is wrong with it', async () => {
  const texts: string[] = [];
  for (const name of FILES) texts.push(await printed(name));

  expect(FILES.length).toBeGreaterThan(20);
  await expect(`${texts.join('\n\n')}\n`).toMatchFileSnapshot('fixtures/broken/printed.txt');
});
