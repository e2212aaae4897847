import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as nbd from './index.ts';
import { RawClient } from './testing/raw-client.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import { TestDisk } from './testing/test-disk.ts';

type Surroundings = Record<string, unknown>;
const AsyncFunction = (async () => {}).constructor as new (
  ...source: string[]
) => (...values: unknown[]) => Promise<void>;

/** Runs the README's first snippet at another path, so that two runs of the tests do not meet. */
async function runSnippet(path: string, surroundings: Surroundings): Promise<string[]> {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const [, snippet = ''] = /```ts.*\n([\s\S]*?)```/.exec(readme) ?? [];
  const moved = snippet.replaceAll('/tmp/ring3-readme.sock', path);
  const source = moved.replace(/^import (\{.*\}) from '@ring3\/nbd';$/m, 'const $1 = nbd;');
  await new AsyncFunction(...Object.keys(surroundings), source)(...Object.values(surroundings));
  return [...moved.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, comment = '']) => comment);
}

test('what the README shows is what happens', async () => {
  const path = join(temporaryFolder(), 'readme.sock');
  const printed: unknown[] = [];
  let stop: () => Promise<void> = () => Promise.reject(new Error('no handler for SIGTERM'));
  const promised = await runSnippet(path, {
    nbd,
    disk: new TestDisk(),
    console: { log: (value: unknown) => printed.push(value) },
    process: { once: (_: string, handler: () => Promise<void>) => (stop = handler) },
  });
  expect(promised).toHaveLength(1);
  expect(printed).toEqual(promised);
  const client = await RawClient.connect({ path });
  expect((await client.enter({ name: 'disk0' })).sizeBytes).toBe(2048 * 512);
  await client.vanish();
  await stop();
});
