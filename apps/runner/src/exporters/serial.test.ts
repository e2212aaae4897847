import { once } from 'node:events';
import { lstatSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceError, type Logger, type SerialPort, SILENT, SystemClock } from '@ring3/core';
import { readExactly, serialCable, serialPattern } from '@ring3/core/testing';
import type { RunningExport } from '@ring3/rig';
import { describe, expect, it, onTestFinished } from 'vitest';
import serial from './serial.ts';

/** A cable in memory, one end of it served. */
async function serve(options: { socket?: string; pty?: string }, log: Logger = SILENT) {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-serial-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [port, peer] = serialCable(new SystemClock());
  await Promise.all([port, peer].map((end) => end.set({ baudRate: 10_000_000, flowControl: 'rts-cts' })));
  const exporter = serial.create({ log, runtimeDirectory: folder });
  onTestFinished(() => exporter.close());
  const start = (service: SerialPort = port) => exporter.start(service, 'serial0/port0', options);
  const client = async (): Promise<Socket> => {
    const socket = connect(join(folder, 'serial.sock'));
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  return { folder, port, peer, exporter, start, client };
}

/** The next bytes of a socket. */
async function receive(socket: Socket, count: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = count; left > 0; ) {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) await once(socket, 'readable');
    else {
      chunks.push(chunk);
      left -= chunk.length;
    }
  }
  return Buffer.concat(chunks);
}

/** Waits until the line is free again. */
async function vacant(running: RunningExport): Promise<void> {
  while (running.statistics['connected'] !== 0) await new Promise(setImmediate);
}

describe('a serial port on a socket', () => {
  it('is a stream of bytes both ways, with back-pressure', async () => {
    const { peer, start, client } = await serve({});
    const running = await start();
    const socket = await client();
    const [out, back] = [serialPattern(10_000, 1), serialPattern(10_000, 2)];
    socket.write(out);
    const writing = peer.write(back);
    const [sent, received] = await Promise.all([readExactly(peer, 10_000), receive(socket, 10_000)]);
    await writing;
    expect(Buffer.compare(sent, out)).toBe(0);
    expect(Buffer.compare(received, back)).toBe(0);
    expect(running.uri).toMatch(/^unix:.*serial\.sock$/);
    expect(running.statistics).toMatchObject({ clients: 1, fromClients: 10_000, lost: 0 });
  });

  it('has one client at a time, and takes the next when the one before has left and all of it is sent', async () => {
    const { peer, start, client } = await serve({});
    const running = await start();
    const first = await client();
    const second = await client();
    await once(second.resume(), 'close');
    first.end(Uint8Array.of(1, 2, 3));
    expect([...(await readExactly(peer, 3))]).toEqual([1, 2, 3]);
    await vacant(running);
    const third = await client();
    third.write(Uint8Array.of(4));
    expect([...(await readExactly(peer, 1))]).toEqual([4]);
  });

  it('keeps for the next client what came while nobody was there', async () => {
    const { peer, start, client } = await serve({});
    const running = await start();
    const first = await client();
    first.write(Uint8Array.of(1));
    await readExactly(peer, 1);
    first.destroy();
    await vacant(running);
    await peer.write(serialPattern(100));
    expect(Buffer.compare(await receive(await client(), 100), serialPattern(100))).toBe(0);
  });

  it('says how many bytes of a client are lost, and keeps the client', async () => {
    const said: string[] = [];
    const { port, peer, start, client } = await serve({}, { ...SILENT, warn: (message) => void said.push(message) });
    let failures = 1;
    const failing: SerialPort = {
      info: port.info,
      status$: port.status$,
      read: (into, options) => port.read(into, options),
      write: (from, options) =>
        failures-- > 0
          ? Promise.reject(new DeviceError('gone', 'its driver died', { details: { written: 2 } }))
          : port.write(from, options),
      drain: () => port.drain(),
      set: (change) => port.set(change),
    };
    const running = await start(failing);
    const socket = await client();
    socket.write(Uint8Array.of(1, 2, 3, 4, 5));
    while (running.statistics['lost'] === 0) await new Promise(setImmediate);
    socket.write(Uint8Array.of(6));
    expect([...(await readExactly(peer, 1))]).toEqual([6]);
    expect(running.statistics['lost']).toBe(3);
    expect(said).toEqual(['up to 3 bytes of a client are lost: its driver died']);
  });

  it('sends what a client gave before it stops, and removes the socket', async () => {
    const { folder, peer, exporter, start, client } = await serve({});
    const running = await start();
    const socket = await client();
    const data = serialPattern(5000);
    const reading = readExactly(peer, 5000);
    socket.write(data);
    while (running.statistics['fromClients'] !== 5000) await new Promise(setImmediate);
    await exporter.drain(5_000_000, () => {});
    expect(Buffer.compare(await reading, data)).toBe(0);
    expect(lstatSync(join(folder, 'serial.sock'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('ends its clients when the service is withdrawn', async () => {
    const { start, client } = await serve({});
    const running = await start();
    const socket = await client();
    const closed = once(socket.resume(), 'close');
    await running.withdraw('unplugged');
    await closed;
  });
});

describe.skipIf(process.platform !== 'linux')('a serial port as a terminal', () => {
  async function opened(path: string): Promise<FileHandle> {
    const file = await open(path, 'r+');
    onTestFinished(() => file.close());
    return file;
  }

  it('is raw both ways, for programs that come and go', async () => {
    const { folder, peer, start } = await serve({ pty: 'console' });
    const { uri } = await start();
    expect(uri).toBe(`pty:${folder}/console`);
    for (let round = 0; round < 3; round++) {
      const file = await open(join(folder, 'console'), 'r+');
      const all = Uint8Array.from({ length: 256 }, (_, value) => value);
      await file.write(all);
      expect([...(await readExactly(peer, 256))]).toEqual([...all]);
      await peer.write(all);
      const into = Buffer.alloc(256);
      for (let at = 0; at < 256; ) at += (await file.read(into, at)).bytesRead;
      expect([...into]).toEqual([...all]);
      await file.close();
    }
  });

  it('holds the other end back when nobody reads, and loses nothing', async () => {
    const { folder, peer, start } = await serve({ pty: 'console' });
    await start();
    const data = serialPattern(12_000);
    const writing = peer.write(data);
    const file = await opened(join(folder, 'console'));
    const into = Buffer.alloc(12_000);
    for (let at = 0; at < into.length; ) at += (await file.read(into, at)).bytesRead;
    expect(Buffer.compare(into, data)).toBe(0);
    await writing;
  });

  it('replaces the link of a process that was killed, nothing else, and takes its own away', async () => {
    const { folder, exporter, start } = await serve({ pty: 'console' });
    const link = join(folder, 'console');
    writeFileSync(link, 'mine');
    await expect(start()).rejects.toMatchObject({ code: 'busy' });
    rmSync(link);
    symlinkSync('/dev/pts/99999', link);
    await start();
    expect(readlinkSync(link)).toMatch(/^\/dev\/pts\/\d{1,4}$/);
    await exporter.close();
    expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
  });
});
