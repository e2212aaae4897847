import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as linux from './index.ts';
import { startScript } from './test-script.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it.skipIf(process.platform !== 'linux')('shows what happens', async () => {
    const [, snippet = ''] = /```ts.*\n([\s\S]*?)```/.exec(readme) ?? [];
    const script = startScript(snippet.replace("'@ring3/linux'", "'./index.ts'"));
    const [, promised] = /console\.log\(.*\/\/ (.*)/.exec(snippet) ?? [];
    expect(await script.line()).toBe(promised);
    expect(await script.ended).toEqual({ code: 0, signal: null, stderr: '' });
  });

  it('names every function and class that the package exports', () => {
    const missing = Object.keys(linux).filter((name) => !readme.includes(`\`${name}`));
    expect(missing).toEqual([]);
  });
});
