import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { runTool, runWell } from './testing/run-tool.ts';
import { serveTools } from './testing/serve-tools.ts';

const SIZE = `${64 * 2 ** 20}\n`;

describe('nbdkit in front, as the README says', () => {
  beforeEach(needsTools({ nbdkit: 'nbdkit', nbdinfo: 'libnbd-bin' }));

  const common = ['--exit-with-parent', '-U', '-'];

  test('passes the export on', async () => {
    const { uri } = await serveTools();
    expect(await runWell('nbdkit', ...common, 'nbd', `uri=${uri}`, '--run', 'nbdinfo --size "$uri"')).toBe(SIZE);
  });

  test('encrypts it, and takes nobody without the key', async () => {
    const { uri, file } = await serveTools();
    writeFileSync(file('keys.psk'), `alice:${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
    const tls = ['--tls=require', `--tls-psk=${file('keys.psk')}`, 'nbd', `uri=${uri}`, 'shared=true', '--run'];
    const withKey = `nbdinfo --size "nbds+unix://alice@/?socket=$unixsocket&tls-psk-file=${file('keys.psk')}"`;
    expect(await runWell('nbdkit', ...common, ...tls, withKey)).toBe(SIZE);
    const without = await runTool('nbdkit', [...common, ...tls, 'nbdinfo --size "nbd+unix:///?socket=$unixsocket"']);
    expect(without.exitCode).not.toBe(0);
    expect(without.stdout).toBe('');
  });
});
