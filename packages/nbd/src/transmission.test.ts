import { DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import type { RawClient } from './testing/raw-client.ts';
import { type ServeOptions, serve } from './testing/serve.ts';
import { Gate, TestDisk } from './testing/test-disk.ts';

const [READ, WRITE, FLUSH] = [0, 1, 3];
const [FUA, DF] = [1, 4];
const [EPERM, EIO, EINVAL, ENOSPC, EOVERFLOW, ESHUTDOWN] = [1, 5, 22, 28, 75, 108];
const [NONE_DONE, DATA, ERROR, ERROR_OFFSET] = [1, 1, 0x8001, 0x8002];
const MIB = 2 ** 20;

async function entered(options: ServeOptions & { structured?: boolean } = {}) {
  const { structured = false, ...serveOptions } = options;
  const served = await serve(serveOptions);
  const client = await served.connect();
  await client.enter({ structured });
  return { ...served, client };
}

/** The data of a structured reply put together, with the checks that a client owes to itself. */
async function readChunks(client: RawClient, offset: number, length: number): Promise<Buffer> {
  const data = Buffer.alloc(length);
  let covered = 0;
  for (const { type, payload } of await client.chunks()) {
    expect(type).toBe(DATA);
    const at = Number(payload.readBigUInt64BE(0)) - offset;
    payload.copy(data, at, 8);
    covered += payload.length - 8;
  }
  expect(covered).toBe(length);
  return data;
}

/** What an error chunk says. */
async function readError(client: RawClient) {
  const chunks = await client.chunks();
  const last = chunks.at(-1);
  if (last === undefined || last.type < 0x8000) throw new Error('no error chunk at the end');
  const { type, payload } = last;
  const messageEnd = 6 + payload.readUInt16BE(4);
  const offset = type === ERROR_OFFSET ? Number(payload.readBigUInt64BE(messageEnd)) : undefined;
  return { type, error: payload.readUInt32BE(0), message: payload.toString('utf8', 6, messageEnd), offset };
}

function badBlock(bad: number) {
  return ({ block, blocks }: { block: number; blocks: number }): void => {
    if (block > bad || block + blocks <= bad) return;
    throw new DeviceError('media', `block ${bad} is bad`, { details: { block: bad } });
  };
}

describe('requests, answered with simple replies', () => {
  test('a read brings what is on the disk, aligned or not', async () => {
    const { client, disk } = await entered();
    for (const [offset, length] of [
      [0, 512],
      [4096, 65_536],
      [1, 1],
      [511, 2],
      [700, 100_000],
    ] as const) {
      client.request({ type: READ, cookie: offset, offset, length });
      expect(await client.simpleReply(length)).toEqual({
        error: 0,
        cookie: offset,
        data: disk.content.subarray(offset, offset + length),
      });
    }
  });

  test('a write is on the disk when it is answered, aligned or not', async () => {
    const { client, disk } = await entered();
    const expected = Buffer.from(disk.content);
    for (const [offset, length] of [
      [0, 512],
      [4096, 300_000],
      [1, 1],
      [511, 2],
      [700, 100_000],
    ] as const) {
      const payload = Buffer.alloc(length, offset);
      expected.set(payload, offset);
      client.request({ type: WRITE, cookie: 2 ** 40 + offset, offset, payload });
      expect(await client.simpleReply()).toMatchObject({ error: 0, cookie: 2 ** 40 + offset });
      expect(disk.content.equals(expected)).toBe(true);
    }
  });

  test('FUA and FLUSH reach the device', async () => {
    const { client, disk } = await entered();
    client.request(
      { type: WRITE, flags: FUA, payload: Buffer.alloc(512) },
      { type: FLUSH },
      { type: FLUSH, flags: FUA },
    );
    for (let reply = 0; reply < 3; reply += 1) expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls.map(({ kind, fua }) => `${kind} ${fua}`)).toEqual(['write true', 'flush false', 'flush false']);
  });

  test('a FLUSH comes after every write that was answered before it', async () => {
    const { client, disk } = await entered();
    client.request({ type: WRITE, payload: Buffer.alloc(512) });
    await client.simpleReply();
    client.request({ type: FLUSH });
    await client.simpleReply();
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['write', 'flush']);
  });

  test('replies come as the device is done, in any order', async () => {
    const { client, disk } = await entered();
    const gate = new Gate();
    disk.before = ({ block }) => (block === 0 ? gate.pass() : undefined);
    client.request({ type: READ, cookie: 1, length: 512 }, { type: READ, cookie: 2, offset: 512, length: 512 });
    expect((await client.simpleReply(512)).cookie).toBe(2);
    gate.open();
    expect((await client.simpleReply(512)).cookie).toBe(1);
  });

  test('many requests are under way at once', async () => {
    const { client, disk } = await entered();
    const gate = new Gate();
    disk.before = () => (disk.calls.length < 64 ? gate.pass() : gate.open());
    client.request(
      ...Array.from({ length: 64 }, (_, cookie) => ({ type: READ, cookie, offset: cookie * 512, length: 512 })),
    );
    const cookies = new Set<number>();
    for (let reply = 0; reply < 64; reply += 1) {
      const { cookie, data } = await client.simpleReply(512);
      expect(data.equals(disk.content.subarray(cookie * 512, cookie * 512 + 512))).toBe(true);
      cookies.add(cookie);
    }
    expect([cookies.size, disk.mostAtOnce]).toEqual([64, 64]);
  });

  test('an error of the device comes without data, and the next request works', async () => {
    const { client, disk, complaints, exported } = await entered();
    disk.before = badBlock(7);
    client.request({ type: READ, cookie: 1, length: 8 * 512 });
    expect(await client.simpleReply(0)).toMatchObject({ error: EIO, cookie: 1 });
    client.request({ type: READ, cookie: 2, length: 7 * 512 }, { type: READ, cookie: 3, offset: 7 * 512, length: 512 });
    expect(await client.simpleReply(7 * 512)).toMatchObject({ error: 0, cookie: 2 });
    expect(await client.simpleReply(0)).toMatchObject({ error: EIO, cookie: 3 });
    expect(complaints).toEqual(['disk0: READ of 4096 bytes at 0x0 failed: block 7 is bad']);
    expect(exported.statistics).toMatchObject({ reads: 1, errors: 2 });
  });

  test.each([
    ['a write beyond the end', { type: WRITE, offset: MIB, payload: Buffer.alloc(512) }, ENOSPC],
    ['a read beyond the end', { type: READ, offset: MIB - 1, length: 2 }, EINVAL],
    ['a read at an offset of 64 bits', { type: READ, offset: 2n ** 64n - 512n, length: 512 }, EINVAL],
    ['a read over 32 MiB', { type: READ, length: 32 * MIB + 1 }, EINVAL],
    ['a write over 32 MiB', { type: WRITE, payload: Buffer.alloc(32 * MIB + 512) }, EINVAL],
    ['an unknown command', { type: 77 }, EINVAL],
    ['TRIM', { type: 4, length: 512 }, EINVAL],
    ['a write of nothing', { type: WRITE }, EINVAL],
  ])('%s is refused, its payload passed over, and nothing is touched', async (_, request, error) => {
    const { client, disk } = await entered();
    client.request({ ...request, cookie: 5 }, { type: READ, cookie: 6, length: 512 });
    expect(await client.simpleReply()).toMatchObject({ error, cookie: 5 });
    expect(await client.simpleReply(512)).toMatchObject({ error: 0, cookie: 6 });
    expect(disk.calls).toHaveLength(1);
  });

  test('writes to a read-only export are refused', async () => {
    const { client, disk } = await entered({ readOnly: true });
    client.request({ type: WRITE, payload: Buffer.alloc(100_000) });
    expect((await client.simpleReply()).error).toBe(EPERM);
    client.request({ type: FLUSH });
    expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['flush']);
  });

  test('a device that is gone is ESHUTDOWN, a mistake in a driver is EIO and an error in the log', async () => {
    const { client, disk, complaints } = await entered();
    const errors = [new DeviceError('gone', 'unplugged'), new TypeError('undefined is not a function')];
    disk.before = () => {
      throw errors.shift();
    };
    client.request({ type: FLUSH }, { type: FLUSH });
    expect([(await client.simpleReply()).error, (await client.simpleReply()).error]).toEqual([ESHUTDOWN, EIO]);
    expect(complaints).toHaveLength(2);
  });
});

describe('a buffer', () => {
  test('that a failed device may still be writing to is never used again', async () => {
    const { client, disk } = await entered();
    const given: Uint8Array[] = [];
    const read = disk.read.bind(disk);
    disk.read = (block, into) => {
      given.push(into);
      return given.length === 1 ? Promise.reject(new DeviceError('timeout', 'too late')) : read(block, into);
    };
    for (const cookie of [0, 1, 2]) {
      client.request({ type: READ, cookie, length: 512 });
      await client.simpleReply(512);
    }
    const [failed, second, third] = given.map(({ buffer }) => buffer);
    expect(second).not.toBe(failed);
    expect(third).toBe(second);
  });
});

describe('requests, answered with structured replies', () => {
  test('a read is one chunk of data when it is short', async () => {
    const { client, disk } = await entered({ structured: true });
    client.request({ type: READ, cookie: 9, offset: 1000, length: 5000 });
    const [chunk, ...more] = await client.chunks();
    expect(more).toEqual([]);
    expect(chunk).toMatchObject({ flags: NONE_DONE, type: DATA, cookie: 9 });
    expect(chunk?.payload.readBigUInt64BE(0)).toBe(1000n);
    expect(chunk?.payload.subarray(8)).toEqual(disk.content.subarray(1000, 6000));
  });

  test('a read is several chunks when it is long, cut at even places, and whole again', async () => {
    const disk = new TestDisk({ blockCount: 16_384 }).fill();
    const { client } = await entered({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    const [offset, length] = [65_536 * 3 - 1000, 65_536 * 20];
    client.request({ type: READ, offset, length });
    expect(await readChunks(client, offset, length)).toEqual(disk.content.subarray(offset, offset + length));
    expect(disk.calls.every(({ block, blocks }) => blocks === 1 || block % 128 === 0 || block === 383)).toBe(true);
  });

  test('with DF a long read is one chunk', async () => {
    const disk = new TestDisk({ blockCount: 16_384 }).fill();
    const { client } = await entered({ structured: true, disk });
    client.request({ type: READ, flags: DF, length: 5 * MIB });
    const [chunk, ...more] = await client.chunks();
    expect(more).toEqual([]);
    expect(chunk?.payload.subarray(8).equals(disk.content.subarray(0, 5 * MIB))).toBe(true);
  });

  test('a read over 32 MiB is EOVERFLOW', async () => {
    const { client } = await entered({ structured: true });
    client.request({ type: READ, length: 32 * MIB + 1 });
    expect(await readError(client)).toMatchObject({ type: ERROR, error: EOVERFLOW });
  });

  test('a bad block is told by its offset, for reads, long reads and writes', async () => {
    const disk = new TestDisk({ blockCount: 16_384 });
    const { client } = await entered({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    disk.before = badBlock(1000);
    client.request({ type: READ, offset: 999 * 512, length: 1024 });
    const expected = { type: ERROR_OFFSET, error: EIO, message: 'block 1000 is bad', offset: 512_000 };
    expect(await readError(client)).toEqual(expected);
    client.request({ type: READ, length: 8 * MIB });
    expect(await readError(client)).toEqual(expected);
    client.request({ type: WRITE, offset: 500 * 512, payload: Buffer.alloc(512 * 512) });
    expect(await readError(client)).toEqual(expected);
    client.request({ type: WRITE, offset: 1000 * 512 + 100, payload: Buffer.alloc(1) });
    expect(await readError(client)).toEqual({ ...expected, offset: 512_100 });
  });

  test('an error of a long read comes after the chunks that were read, and ends it', async () => {
    const disk = new TestDisk({ blockCount: 16_384 }).fill();
    const { client } = await entered({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    disk.before = badBlock(128 * 5);
    client.request({ type: READ, length: 8 * MIB });
    const chunks = await client.chunks();
    expect(chunks.at(-1)).toMatchObject({ type: ERROR_OFFSET, flags: 1 });
    const read = chunks.slice(0, -1).map(({ payload }) => Number(payload.readBigUInt64BE(0)) / 65_536);
    expect(read).toEqual(expect.arrayContaining([0, 1, 2, 3, 4]));
    expect(read).not.toContain(5);
    client.request({ type: READ, offset: 8 * MIB - 512, length: 512 });
    expect(await readChunks(client, 8 * MIB - 512, 512)).toEqual(disk.content.subarray(8 * MIB - 512));
  });

  test('the message is cut to what the protocol carries', async () => {
    const { client, disk } = await entered({ structured: true });
    disk.before = () => {
      throw new DeviceError('fault', 'x'.repeat(100_000));
    };
    client.request({ type: FLUSH });
    expect((await readError(client)).message).toBe('x'.repeat(4096));
  });
});

describe('several clients', () => {
  test('write to places beside each other, down to the byte, without loss', async () => {
    const { connect, disk, server } = await serve({ disk: new TestDisk() });
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect()));
    await Promise.all(clients.map((client) => client.enter()));
    // Client 0 has the bytes 0-99, 400-499, ...: blocks of 512 are shared by all of them.
    const places = Array.from({ length: 200 }, (_, index) => index * 400);
    await Promise.all(
      clients.map(async (client, number) => {
        for (const place of places) {
          client.request({ type: WRITE, offset: place + number * 100, payload: Buffer.alloc(100, number + 1) });
        }
        for (const _ of places) expect((await client.simpleReply()).error).toBe(0);
      }),
    );
    const expected = Buffer.concat([1, 2, 3, 4].map((number) => Buffer.alloc(100, number)));
    for (const place of places) expect(disk.content.subarray(place, place + 400).equals(expected)).toBe(true);
    expect(server.statistics).toMatchObject({
      clients: { now: 4, total: 4, refused: 0 },
      exports: { disk0: { writes: 800, bytesWritten: 80_000, errors: 0 } },
    });
  });

  test('each have their own disk', async () => {
    const { server, connect, disk } = await serve();
    const second = new TestDisk();
    server.export('second', second);
    const [one, two] = [await connect(), await connect()];
    await one.enter({ name: 'disk0' });
    await two.enter({ name: 'second', structured: true });
    one.request({ type: READ, length: 512 });
    two.request({ type: READ, length: 512 });
    expect((await one.simpleReply(512)).data).toEqual(disk.content.subarray(0, 512));
    expect(await readChunks(two, 0, 512)).toEqual(Buffer.alloc(512));
  });

  test('are refused when there are enough', async () => {
    const { server, connect } = await serve({ limits: { clients: 2 } });
    const [one, , three] = [await connect(), await connect(), await connect()];
    await three?.ended;
    expect(server.statistics.clients).toEqual({ now: 2, total: 2, refused: 1 });
    await one?.enter();
  });
});
