import { existsSync } from 'node:fs';
import { DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import { RawClient } from './testing/raw-client.ts';
import { type Served, SOON, serve } from './testing/serve.ts';
import { Gate, TestDisk } from './testing/test-disk.ts';

const [READ, WRITE, FLUSH] = [0, 1, 3];
const ESHUTDOWN = 108;

/** A client with one write under way, at which the device stands until the gate is opened. */
async function busy(options: { structured?: boolean } = {}): Promise<Served & { client: RawClient; gate: Gate }> {
  const served = await serve();
  const client = await served.connect();
  await client.enter(options);
  const gate = new Gate();
  served.disk.before = ({ kind }) => (kind === 'write' ? gate.pass() : undefined);
  client.request({ type: WRITE, cookie: 1, offset: 4096, payload: Buffer.alloc(512, 'w') });
  await gate.reached;
  return { ...served, client, gate };
}

/** The client is one that hangs up when the server does. */
async function hangUp(client: RawClient): Promise<void> {
  await client.ended;
  client.socket.end();
}

describe('an export that is withdrawn', () => {
  test('answers what is under way, refuses the rest with ESHUTDOWN, and disconnects', async () => {
    const { exported, client, gate, disk, server } = await busy();
    const withdrawn = exported.withdraw('the disk was changed');
    client.request({ type: READ, cookie: 2, length: 512 }, { type: WRITE, cookie: 3, payload: Buffer.alloc(100_000) });
    expect(await client.simpleReply(0)).toMatchObject({ error: ESHUTDOWN, cookie: 2 });
    expect(await client.simpleReply(0)).toMatchObject({ error: ESHUTDOWN, cookie: 3 });
    gate.open();
    expect(await client.simpleReply(0)).toMatchObject({ error: 0, cookie: 1 });
    await hangUp(client);
    await withdrawn;
    expect(disk.calls).toHaveLength(1);
    expect(server.statistics.clients.now).toBe(0);
  });

  test('tells the reason to those who can hear it', async () => {
    const { exported, client, gate } = await busy({ structured: true });
    const withdrawn = exported.withdraw('the disk was changed');
    client.request({ type: FLUSH });
    const { payload } = await client.chunk();
    expect([payload.readUInt32BE(0), payload.toString('utf8', 6)]).toEqual([ESHUTDOWN, 'the disk was changed']);
    gate.open();
    await hangUp(client);
    await withdrawn;
  });

  test('leaves the clients of other exports alone', async () => {
    const { server, exported, connect } = await serve();
    const second = server.export('second', new TestDisk());
    const [one, two] = [await connect(), await connect()];
    await one.enter({ name: 'disk0' });
    await two.enter({ name: 'second' });
    const withdrawn = exported.withdraw('gone');
    await hangUp(one);
    await withdrawn;
    two.request({ type: READ, length: 512 });
    expect((await two.simpleReply(512)).error).toBe(0);
    expect(Object.keys(server.statistics.exports)).toEqual(['second']);
    expect(second.statistics.reads).toBe(1);
  });

  test('may be made again under its name at once, for new clients only', async () => {
    const { server, exported, client, gate, connect } = await busy();
    const withdrawn = exported.withdraw('replaced');
    server.export('disk0', new TestDisk({ blockCount: 3 }));
    const newcomer = await connect();
    expect((await newcomer.enter({ name: 'disk0' })).sizeBytes).toBe(3 * 512);
    client.request({ type: READ, cookie: 2, length: 512 });
    expect((await client.simpleReply()).error).toBe(ESHUTDOWN);
    gate.open();
    await hangUp(client);
    await withdrawn;
    newcomer.request({ type: READ, length: 512 });
    expect((await newcomer.simpleReply(512)).error).toBe(0);
  });

  test('does not wait for a client in the middle of sending a write', async () => {
    const { exported, connect, disk } = await serve();
    const client = await connect();
    await client.enter();
    client.request({ type: WRITE, length: 1_000_000, payload: Buffer.alloc(600_000) });
    const withdrawn = exported.withdraw('gone');
    await hangUp(client);
    await withdrawn;
    expect(disk.calls).toEqual([]);
  });

  test('cuts a client that does not hang up, a moment later', async () => {
    const { exported, connect, clock } = await serve();
    const client = await connect();
    await client.enter();
    const withdrawn = exported.withdraw('gone');
    await client.ended;
    await expect.poll(() => clock.scheduled, SOON).toBe(3); // The moment, beside the deadline and the next word of waiting.
    await clock.advance(250_000);
    await withdrawn;
  });

  test('ends at its deadline, although the device does not answer', async () => {
    const { exported, client, clock, complaints } = await busy();
    const withdrawn = exported.withdraw('gone', { deadlineMs: 5000 });
    await clock.advance(5_000_000);
    await withdrawn;
    await client.ended;
    expect(complaints).toEqual([
      'client 1 of disk0: disconnected: gone, and 5000 ms were not enough; client 1 of disk0: WRITE of 512 bytes at 0x1000 (5 s)',
    ]);
  });

  test('does not end at all when every request fails with gone; the owner of the device decides', async () => {
    const { disk, connect } = await serve();
    const client = await connect();
    await client.enter();
    disk.before = () => {
      throw new DeviceError('gone', 'unplugged');
    };
    for (let request = 0; request < 3; request += 1) {
      client.request({ type: FLUSH });
      expect((await client.simpleReply()).error).toBe(ESHUTDOWN);
    }
  });
});

describe('a server that is closed', () => {
  test('stops listening at once, answers what is under way, then disconnects', async () => {
    const { server, client, gate, disk, path } = await busy();
    const closed = server.close();
    expect(existsSync(path)).toBe(false);
    await expect(RawClient.connect({ path })).rejects.toThrow('ENOENT');
    gate.open();
    expect(await client.simpleReply()).toMatchObject({ error: 0, cookie: 1 });
    await hangUp(client);
    await closed;
    expect(disk.content.toString('latin1', 4096, 4608)).toBe('w'.repeat(512));
    expect(() => server.export('late', new TestDisk())).toThrow('the NBD server is closing');
  });

  test('sends all of a long reply first', async () => {
    const disk = new TestDisk({ blockCount: 32_768 }).fill();
    const { server, connect } = await serve({ disk });
    const client = await connect();
    await client.enter();
    client.socket.pause();
    client.request({ type: READ, length: disk.content.length });
    await expect.poll(() => disk.calls.length, SOON).toBeGreaterThan(0);
    const closed = server.close();
    client.socket.resume();
    expect((await client.simpleReply(disk.content.length)).data.equals(disk.content)).toBe(true);
    await hangUp(client);
    await closed;
  });

  test('says every second what it waits for', async () => {
    const { server, client, gate, clock } = await busy();
    const said: string[] = [];
    const closed = server.close({ waiting: (what) => said.push(what) });
    await clock.advance(2_500_000);
    expect(said).toEqual([
      'client 1 of disk0: WRITE of 512 bytes at 0x1000 (1 s)',
      'client 1 of disk0: WRITE of 512 bytes at 0x1000 (2 s)',
    ]);
    gate.open();
    await hangUp(client);
    await closed;
  });

  test('can be hurried by closing it again', async () => {
    const { server, client, clock } = await busy();
    const closed = server.close({ deadlineMs: 30_000 });
    const hurried = server.close({ deadlineMs: 0 });
    await clock.advance(0);
    await Promise.all([closed, hurried, client.ended]);
    expect(clock.scheduled).toBe(0);
  });

  test('without clients is closed at once, also twice', async () => {
    const { server } = await serve();
    await server.close();
    await server.close();
  });

  test('leaves no timer behind', async () => {
    const { server, connect, clock } = await serve();
    const client = await connect();
    await client.enter();
    const closed = server.close();
    await hangUp(client);
    await closed;
    expect(clock.scheduled).toBe(0);
  });
});
