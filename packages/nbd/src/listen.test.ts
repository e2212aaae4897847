import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isDeviceError } from '@ring3/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type NbdAddress, NbdServer } from './nbd-server.ts';
import { RawClient } from './testing/raw-client.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';
import { TestDisk } from './testing/test-disk.ts';

async function listen(address: NbdAddress): Promise<NbdServer> {
  const server = await NbdServer.listen(address);
  onTestFinished(() => server.close({ deadlineMs: 0 }));
  return server;
}

/** The code and the message with which listening fails. */
async function failure(address: NbdAddress): Promise<string> {
  try {
    await listen(address);
  } catch (error) {
    if (isDeviceError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it listens');
}

/** A socket that nobody listens on any more, as a process that was killed leaves it. */
function staleSocket(): string {
  const path = join(temporaryFolder(), 'nbd.sock');
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  if (!existsSync(path)) throw new Error('no stale socket');
  return path;
}

describe('a Unix socket', () => {
  test.each([
    [undefined, 0o600],
    [0o660, 0o660],
    [0o666, 0o666],
  ])('with the mode %o has the mode %o, whatever the umask', async (mode, expected) => {
    for (const umask of [0o077, 0o022, 0]) {
      const unix = join(temporaryFolder(), 'nbd.sock');
      const before = process.umask(umask);
      onTestFinished(() => void process.umask(before));
      await listen(mode === undefined ? { unix } : { unix, mode });
      expect(statSync(unix).mode & 0o777).toBe(expected);
      expect(process.umask()).toBe(umask);
    }
  });

  test('is named by its absolute path, and goes away with the server', async () => {
    const unix = join(temporaryFolder(), 'nbd.sock');
    const server = await listen({ unix: relative(process.cwd(), unix) });
    expect(server.uri('disk0')).toBe(`nbd+unix:///disk0?socket=${unix}`);
    await server.close();
    expect(existsSync(unix)).toBe(false);
  });

  test('that nobody listens on is replaced', async () => {
    const unix = staleSocket();
    const server = await listen({ unix });
    server.export('disk0', new TestDisk());
    const client = await RawClient.connect({ path: unix });
    expect((await client.enter()).sizeBytes).toBe(2048 * 512);
    await client.vanish();
  });

  test('that a server listens on is left to it', async () => {
    const unix = join(temporaryFolder(), 'nbd.sock');
    const first = await listen({ unix });
    first.export('disk0', new TestDisk());
    expect(await failure({ unix })).toBe(
      `busy: another server is listening on ${unix}: stop it, or choose another path`,
    );
    const client = await RawClient.connect({ path: unix });
    await client.enter();
    await client.vanish();
  });

  test('does not replace what is no socket', async () => {
    const unix = join(temporaryFolder(), 'precious');
    writeFileSync(unix, 'data');
    expect(await failure({ unix })).toBe(
      `busy: ${unix} is there already and not a socket: remove it, or choose another path`,
    );
    expect(existsSync(unix)).toBe(true);
  });

  test('in a folder that is not there is an error in words', async () => {
    const folder = join(temporaryFolder(), 'missing');
    const unix = join(folder, 'nbd.sock');
    expect(await failure({ unix })).toBe(`not-found: ${folder} does not exist: make the directory first`);
  });

  test('with a path that is too long is an error in words', async () => {
    const unix = `/tmp/${'x'.repeat(200)}`;
    expect(await failure({ unix })).toMatch(
      /^config: \/tmp\/x+ has 205 bytes: a Unix socket's path has at most 10[37]$/,
    );
  });

  test.skipIf(process.getuid?.() === 0)('in a folder that may not be written is an error in words', async () => {
    const folder = join(temporaryFolder(), 'locked');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    expect(await failure({ unix: join(folder, 'nbd.sock') })).toMatch(/^permission: /);
  });

  test('can be opened by a worker thread too, which has no umask of its own', async () => {
    const unix = join(temporaryFolder(), 'nbd.sock');
    const source = `import { NbdServer } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      import { parentPort } from 'node:worker_threads';
      import { statSync } from 'node:fs';
      const server = await NbdServer.listen({ unix: ${JSON.stringify(unix)} });
      parentPort.postMessage(statSync(${JSON.stringify(unix)}).mode & 0o777);
      await server.close();`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    const mode = await new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    expect(mode).toBe(0o600);
  });
});

describe('a TCP port', () => {
  test.each(['127.0.0.1', '127.1.2.3', 'localhost'])('on %s is served', async (host) => {
    const server = await listen({ host, port: 0 });
    server.export('disk0', new TestDisk());
    const { hostname, port } = new URL(server.uri('disk0'));
    const client = await RawClient.connect({ host: hostname.replace(/[[\]]/g, ''), port: Number(port) });
    expect((await client.enter()).sizeBytes).toBe(2048 * 512);
    await client.vanish();
  });

  test.each(['0.0.0.0', '::', '192.0.2.1'])('on %s is refused unless it is asked for', async (host) => {
    expect(await failure({ host, port: 0 })).toMatch(
      `config: ${host} (${host}) is not the loopback interface, and NBD here has neither passwords nor encryption`,
    );
  });

  test('on every interface is served when it is asked for', async () => {
    const server = await listen({ host: '0.0.0.0', port: 0, allowRemote: true });
    expect(server.uri()).toMatch(/^nbd:\/\/0\.0\.0\.0:\d+\/$/);
  });

  test('that is taken is busy', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as { port: number };
    expect(await failure({ host: '127.0.0.1', port })).toBe(
      `busy: 127.0.0.1 port ${port} is in use by another program: stop it, or choose another address`,
    );
  });

  test('on a host that nobody knows is an error in words', async () => {
    expect(await failure({ host: 'no-such-host.invalid', port: 0 })).toMatch(
      /^not-found: the host name no-such-host\.invalid/,
    );
  });
});
