import { describe, expect, test } from 'vitest';
import type { RawClient } from './testing/raw-client.ts';
import { type Served, type ServeOptions, SOON, serve } from './testing/serve.ts';
import { Gate, TestDisk } from './testing/test-disk.ts';

const [READ, WRITE, FLUSH] = [0, 1, 3];
const MIB = 2 ** 20;
/** What the kernel's own buffers of a Unix socket can take. */
const KERNEL_BYTES = MIB;

async function slowClient(options: ServeOptions & { structured?: boolean } = {}) {
  const served = await serve({ disk: new TestDisk({ blockCount: 131_072, maxTransferBlocks: 2048 }), ...options });
  const client = await served.connect();
  await client.enter({ structured: options.structured ?? false });
  client.socket.pause();
  return { ...served, client };
}

/** Many turns of everybody's event loop, in which a quick client is served as if it were alone. */
async function meanwhile(served: Served, rounds = 50): Promise<void> {
  const quick = await served.connect();
  await quick.enter();
  for (let round = 0; round < rounds; round += 1) {
    quick.request({ type: READ, length: 65_536 });
    await quick.simpleReply(65_536);
  }
  await quick.vanish();
}

function bytesRead({ disk }: Served): number {
  return disk.calls.reduce((sum, { kind, blocks }) => sum + (kind === 'read' ? blocks * 512 : 0), 0);
}

async function drainReplies(client: RawClient, count: number, length: number): Promise<void> {
  client.socket.resume();
  for (let reply = 0; reply < count; reply += 1) expect((await client.simpleReply(length)).error).toBe(0);
}

describe('a client that does not take its replies', () => {
  test('holds two chunks of a 32 MiB read, and gets the rest when it reads on', async () => {
    const served = await slowClient({ structured: true });
    const { client, server, disk } = served;
    disk.fill();
    client.request({ type: READ, length: 32 * MIB });
    await meanwhile(served);
    expect(server.statistics.requests).toEqual({ now: 1, bytes: 2 * MIB });
    expect(bytesRead(served) - 50 * 65_536).toBeLessThanOrEqual(2 * MIB + KERNEL_BYTES + MIB);
    client.socket.resume();
    const data = Buffer.alloc(32 * MIB);
    for (const { payload } of await client.chunks()) payload.copy(data, Number(payload.readBigUInt64BE(0)), 8);
    expect(data.equals(disk.content.subarray(0, 32 * MIB))).toBe(true);
    await expect.poll(() => server.statistics.requests, SOON).toEqual({ now: 0, bytes: 0 });
  });

  test('holds no more than 8 MiB with any number of reads', async () => {
    const served = await slowClient();
    served.client.request(...Array.from({ length: 100 }, () => ({ type: READ, length: MIB })));
    await meanwhile(served);
    expect(served.server.statistics.requests.bytes).toBe(8 * MIB);
    expect(bytesRead(served) - 50 * 65_536).toBeLessThanOrEqual(8 * MIB + KERNEL_BYTES);
    await drainReplies(served.client, 100, MIB);
  });

  test('holds no more than 128 requests of any kind, errors too', async () => {
    const served = await slowClient();
    const wrong = Array.from({ length: 60_000 }, () => ({ type: 77 }));
    served.client.request(...wrong);
    await meanwhile(served);
    expect(served.server.statistics.requests).toEqual({ now: 128, bytes: 0 });
    expect(served.client.socket.writableLength).toBeGreaterThan(0);
  });
});

describe('replies that wait for a slow client', () => {
  test('are not touched by what is read and written for others', async () => {
    const served = await slowClient();
    served.disk.fill();
    const before = Buffer.from(served.disk.content.subarray(0, 4 * MIB));
    const offsets = Array.from({ length: 64 }, (_, index) => index * 65_536);
    served.client.request(...offsets.map((offset) => ({ type: READ, cookie: offset, offset, length: 65_536 })));
    await expect.poll(() => bytesRead(served), SOON).toBe(4 * MIB);
    const quick = await served.connect();
    await quick.enter();
    for (const offset of offsets) {
      quick.request({ type: WRITE, offset, payload: Buffer.alloc(65_536, 'quick') });
      expect((await quick.simpleReply()).error).toBe(0);
      quick.request({ type: READ, offset: 8 * MIB, length: 65_536 });
      expect((await quick.simpleReply(65_536)).error).toBe(0);
    }
    served.client.socket.resume();
    for (const offset of offsets) {
      const { cookie, data } = await served.client.simpleReply(65_536);
      expect([cookie, data.equals(before.subarray(offset, offset + 65_536))]).toEqual([offset, true]);
    }
  });
});

describe('a device that is slower than its clients', () => {
  test('makes a client with many small writes wait', async () => {
    const served = await slowClient();
    const gate = new Gate();
    served.disk.before = ({ kind }) => (kind === 'read' ? undefined : gate.pass());
    const writes = Array.from({ length: 1000 }, (_, block) => ({
      type: WRITE,
      offset: block * 512,
      payload: Buffer.alloc(512, 1),
    }));
    served.client.request(...writes);
    await meanwhile(served);
    expect(served.server.statistics.requests).toEqual({ now: 128, bytes: 128 * 4096 });
    expect(served.disk.calls.filter(({ kind }) => kind === 'write')).toHaveLength(128);
    gate.open();
    await drainReplies(served.client, 1000, 0);
    expect(served.disk.content.subarray(0, 512_000).every((byte) => byte === 1)).toBe(true);
  });

  test('makes a client with large writes wait, and takes one of 32 MiB', async () => {
    const served = await slowClient();
    const gate = new Gate();
    served.disk.before = ({ kind }) => (kind === 'read' ? undefined : gate.pass());
    const large = { type: WRITE, payload: Buffer.alloc(20 * MIB, 1) };
    served.client.request(large, large, { type: WRITE, payload: Buffer.alloc(32 * MIB, 2) }, { type: FLUSH });
    await gate.reached;
    await meanwhile(served);
    expect(served.server.statistics.requests).toEqual({ now: 1, bytes: 20 * MIB });
    gate.open();
    await drainReplies(served.client, 4, 0);
    expect(served.disk.content.subarray(0, 32 * MIB).every((byte) => byte === 2)).toBe(true);
  });

  test('what is kept for later is bounded', async () => {
    const served = await slowClient();
    served.client.socket.resume();
    for (let round = 0; round < 3; round += 1) {
      served.client.request(...Array.from({ length: 32 }, () => ({ type: READ, length: MIB })));
      await drainReplies(served.client, 32, MIB);
    }
    await expect.poll(() => served.server.statistics.requests.now, SOON).toBe(0);
    expect(served.server.statistics.idleBytes).toBeLessThanOrEqual(16 * MIB);
  });
});
