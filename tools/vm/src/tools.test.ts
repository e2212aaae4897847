import { expect, it } from 'vitest';
import { capture, requireTools } from './tools.ts';

it('says what is missing and what to install', () => {
  const tools = { 'ring3-no-such-tool': 'some-package', 'ring3-nor-this': 'some-package', node: 'nodejs' };
  expect(() => requireTools(tools)).toThrow(
    /needs ring3-no-such-tool, ring3-nor-this,[\s\S]*apt-get install --no-install-recommends some-package$/,
  );
});

it('says what a program said before it failed', async () => {
  await expect(capture('sh', ['-c', 'echo no such luck >&2; exit 3'])).rejects.toThrow(
    /^sh -c .* failed: no such luck$/,
  );
});
