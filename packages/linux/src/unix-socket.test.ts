import { closeSync, mkdtempSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { connectUnix, createReadinessOf, listenUnix, receiveWaiting } from './unix-socket.ts';
import { watchReadable } from './watch-readable.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ring3-socket-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A blocking socket and the stream of Node at its other end. */
async function connected(timeoutMs: number): Promise<{ fd: number; peer: Socket }> {
  const path = join(folder(), 'socket');
  const listener = listenUnix(path);
  const server = createServer();
  const peer = new Promise<Socket>((resolve) => server.once('connection', resolve));
  server.listen({ fd: listener });
  const fd = connectUnix(path, timeoutMs);
  const socket = await peer;
  onTestFinished(() => {
    closeSync(fd);
    socket.destroy();
    server.close();
  });
  return { fd, peer: socket };
}

it('says EAGAIN when nobody answers in time', async () => {
  const { fd } = await connected(20);
  expect(() => readSync(fd, Buffer.alloc(1))).toThrow(/EAGAIN/);
});

it('takes what waits, and says when there is nothing and when it ends', async () => {
  const { fd, peer } = await connected(1000);
  const into = Buffer.alloc(8);
  expect(receiveWaiting(fd, into)).toBeUndefined();
  await new Promise((resolve) => peer.write('hello', resolve));
  expect(receiveWaiting(fd, into)).toBe(5);
  peer.destroy();
  await new Promise((resolve) => peer.once('close', resolve));
  expect(receiveWaiting(fd, into)).toBe(0);
});

it('stays blocking while it is watched', async () => {
  const { fd, peer } = await connected(20);
  const readiness = createReadinessOf(fd);
  const heard = new Promise((resolve) => {
    const watch = watchReadable(readiness, (event) => {
      watch.close();
      resolve(event);
    });
    peer.write('x');
  });
  expect(await heard).toBe('readable');
  readSync(fd, Buffer.alloc(1));
  const before = process.hrtime.bigint();
  expect(() => readSync(fd, Buffer.alloc(1))).toThrow(/EAGAIN/);
  expect(process.hrtime.bigint() - before, 'a non-blocking socket answers at once').toBeGreaterThan(15_000_000n);
  closeSync(readiness);
});

it('passes bytes both ways', async () => {
  const { fd, peer } = await connected(1000);
  writeSync(fd, 'there');
  expect(String(await new Promise((resolve) => peer.once('data', resolve)))).toBe('there');
  await new Promise((resolve) => peer.write('back', resolve));
  const into = Buffer.alloc(8);
  expect(into.toString('latin1', 0, readSync(fd, into))).toBe('back');
});

it('says EAGAIN when those who were not accepted yet fill the queue', () => {
  const path = join(folder(), 'socket');
  const open = [listenUnix(path)];
  onTestFinished(() => open.forEach((fd) => void closeSync(fd)));
  const connectAgain = () => {
    for (let left = 5; left > 0; left--) open.push(connectUnix(path, 20));
  };
  expect(connectAgain).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
});

it('refuses a path that no socket can have', () => {
  expect(() => connectUnix(`/tmp/${'x'.repeat(200)}`, 1)).toThrow(/over 107 bytes/);
  expect(() => connectUnix('/nowhere/socket', 1)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
