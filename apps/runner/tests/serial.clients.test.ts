import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { childrenOf, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

/** A configuration with one simulated UART in a process of its own, on a socket. */
function serialRig(folder: string, modelOptions: object, options: object = {}): string {
  const backend = { type: 'sim', options: modelOptions };
  const config = {
    version: 1,
    name: 'test',
    isolation: 'process',
    runtimeDirectory: folder,
    devices: { serial0: { driver: 'uart-16550', backend, options } },
    exports: [{ type: 'serial', service: 'serial0/port0', socket: 'serial.sock' }],
  };
  const file = join(folder, 'rig.yaml');
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function client(folder: string): Promise<Socket> {
  const socket = connect(join(folder, 'serial.sock'));
  await once(socket, 'connect');
  return socket;
}

async function echo(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  let back = '';
  while (back.length < text.length) back += socket.read() ?? ((await once(socket, 'readable')) && '');
  return back;
}

it('a client stays connected while its driver is killed and comes back, and nothing is invented', {
  timeout: 60_000,
}, async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(serialRig(folder, { farEnd: 'echo' }), folder);
  const socket = await client(folder);
  expect(await echo(socket, 'before')).toBe('before');
  for (let round = 1; round <= 2; round++) {
    for (const child of childrenOf(runner, 'device-host')) process.kill(child, 'SIGKILL');
    await runner.lineWith('its driver is away');
    // Written while the driver is away: it waits, and is sent once.
    expect(await echo(socket, `after ${round}`)).toBe(`after ${round}`);
  }
  expect(runner.log.join('\n')).toContain('what was under way on the line may be lost');
  socket.destroy();
  expect(await runner.stop()).toBe(0);
});

it('a client is held back when the other end takes nothing', { timeout: 60_000 }, async () => {
  const folder = temporaryFolder();
  const options = { flowControl: 'rts-cts', drainSeconds: 0.1 };
  const runner = await ServingRunner.start(serialRig(folder, { farEnd: 'none' }, options), folder);
  const socket = await client(folder);
  const chunk = Buffer.alloc(64 * 1024);
  let taken = 0;
  while (taken < 64) {
    const accepted = await new Promise((resolve) => {
      socket.write(chunk, () => resolve(true));
      setTimeout(resolve, 500, false);
    });
    if (accepted === false) break;
    taken++;
  }
  expect(taken).toBeLessThan(16); // A megabyte would have gone somewhere else than to the line.
  socket.destroy();
  expect(await runner.stop()).toBe(0);
});
