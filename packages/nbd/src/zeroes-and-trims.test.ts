import { DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import type { RawRequest } from './testing/raw-client.ts';
import { SOON, serveClient } from './testing/serve.ts';
import { Gate, TestDisk } from './testing/test-disk.ts';

const [READ, WRITE, DISC, FLUSH, TRIM, CACHE, WRITE_ZEROES] = [0, 1, 2, 3, 4, 5, 6];
const [FUA, NO_HOLE, FAST_ZERO] = [1, 2, 16];
const [EIO, EINVAL, ENOTSUP, ESHUTDOWN] = [5, 22, 95, 108];
const MIB = 2 ** 20;
const GIB = 2 ** 30;

function trimmable(info: Partial<TestDisk['info']> = {}): TestDisk {
  return new TestDisk({ trim: true, ...info }).fill();
}

/** A disk of 8 GiB that keeps nothing and remembers what it was asked. */
function hugeDisk(): TestDisk {
  const disk = new TestDisk({ trim: true });
  disk.info = { ...disk.info, blockCount: (8 * GIB) / 512 };
  disk.write = async (block, from) => {
    const call = { kind: 'write' as const, block, blocks: from.length / 512, fua: false };
    disk.calls.push(call);
    await disk.before(call);
  };
  disk.trim = async (block, blocks) => {
    const call = { kind: 'trim' as const, block, blocks, fua: false };
    disk.calls.push(call);
    await disk.before(call);
  };
  return disk;
}

const everything = { type: WRITE_ZEROES, length: 4 * GIB - 512 } satisfies RawRequest;

describe('WRITE_ZEROES', () => {
  test.each([
    ['whole blocks', 1024, 4096],
    ['a part of a block', 700, 100],
    ['parts at both ends', 700, 100_000],
    ['more than one piece, unaligned', 1, MIB - 2],
  ])('makes %s zero, and nothing beside them', async (_, offset, length) => {
    const { client, disk, exported } = await serveClient();
    const expected = Buffer.from(disk.content).fill(0, offset, offset + length);
    for (const flags of [0, NO_HOLE]) {
      client.request({ type: WRITE_ZEROES, cookie: 7, offset, length, flags });
      expect(await client.simpleReply()).toMatchObject({ error: 0, cookie: 7 });
      expect(disk.content.equals(expected)).toBe(true);
    }
    expect(exported.statistics).toMatchObject({ zeroes: 2, bytesZeroed: 2 * length, writes: 0 });
  });

  test('with FUA is on stable storage: a short one by FUA, a long one by a flush behind it', async () => {
    const { client, disk } = await serveClient();
    client.request({ type: WRITE_ZEROES, length: 512, flags: FUA });
    await client.simpleReply();
    expect(disk.calls).toEqual([{ kind: 'write', block: 0, blocks: 1, fua: true }]);
    disk.calls.length = 0;
    client.request({ type: WRITE_ZEROES, length: MIB, flags: FUA });
    await client.simpleReply();
    expect(disk.calls.map(({ kind }) => kind)).toEqual([...Array(8).fill('write'), 'flush']);
  });

  test('that must be fast is refused at once and touches nothing', async () => {
    const { client, disk } = await serveClient();
    client.request({ type: WRITE_ZEROES, length: MIB, flags: FAST_ZERO });
    expect((await client.simpleReply()).error).toBe(ENOTSUP);
    expect(disk.calls).toEqual([]);
  });

  test('tells the offset of a bad block', async () => {
    const { client, disk } = await serveClient({ structured: true });
    disk.damage(1000);
    client.request({ type: WRITE_ZEROES, offset: 512, length: 600_000 });
    const [{ type, payload } = { type: 0, payload: Buffer.alloc(0) }] = await client.chunks();
    const message = payload.readUInt16BE(4);
    expect([type, payload.readUInt32BE(0), Number(payload.readBigUInt64BE(6 + message))]).toEqual([
      0x8002, // NBD_REPLY_TYPE_ERROR_OFFSET
      EIO,
      512_000,
    ]);
  });

  test('of 4 GiB holds no memory and two calls of the device, and others are served meanwhile', async () => {
    const { client, disk, server, connect } = await serveClient({ disk: hugeDisk() });
    const gate = new Gate();
    disk.before = ({ kind }) => (kind === 'write' && disk.calls.length > 100 ? gate.pass() : undefined);
    client.request(everything);
    await gate.reached;
    expect(server.statistics.requests).toEqual({ now: 1, bytes: 0 });
    const other = await connect();
    await other.enter();
    other.request({ type: READ, length: 512 }, { type: TRIM, offset: 512, length: 512 });
    expect((await other.simpleReply(512)).error).toBe(0);
    expect((await other.simpleReply()).error).toBe(0);
    expect(disk.calls.filter(({ kind }) => kind === 'write').length).toBeLessThanOrEqual(102);
    await client.vanish();
    gate.open();
  });

  test('leaves the event loop to others, even if the device answers at once', async () => {
    const { client, disk, connect } = await serveClient({ disk: hugeDisk() });
    client.request(everything);
    const other = await connect();
    await other.enter();
    for (let round = 0; round < 10; round += 1) {
      other.request({ type: READ, length: 512 });
      expect((await other.simpleReply(512)).error).toBe(0);
    }
    expect(disk.calls.filter(({ kind }) => kind === 'write').length).toBeLessThan(16_384);
    await client.vanish();
  });

  test('does not keep others from parts of a block for longer than a piece', async () => {
    const { client, disk, connect } = await serveClient({ disk: hugeDisk() });
    let release = (): void => {};
    disk.before = ({ kind, block }) =>
      kind === 'write' && block > 1000 ? new Promise((resolve) => (release = resolve)) : undefined;
    client.request(everything);
    await expect.poll(() => disk.calls.length, SOON).toBeGreaterThan(3);
    const other = await connect();
    await other.enter();
    other.request({ type: WRITE, offset: GIB + 1, payload: Buffer.alloc(1) });
    await expect.poll(() => disk.calls.some(({ block }) => block === GIB / 512), SOON).toBe(true);
    disk.before = () => {};
    release();
    expect((await other.simpleReply()).error).toBe(0);
    await client.vanish();
  });

  test('in a flood comes one long one after the other, short ones in between', async () => {
    const { client, disk, server } = await serveClient({ disk: hugeDisk() });
    const gate = new Gate();
    disk.before = ({ block }) => (block < 1000 ? gate.pass() : undefined);
    client.request(...Array.from({ length: 200 }, () => everything));
    await gate.reached;
    await expect.poll(() => server.statistics.requests.now, SOON).toBe(128);
    expect(disk.calls.length).toBeLessThanOrEqual(2);
    await client.vanish();
    gate.open();
  });
});

describe('a long WRITE_ZEROES ends at its next piece', () => {
  async function underWay() {
    const served = await serveClient({ disk: hugeDisk() });
    const gate = new Gate();
    served.disk.before = () => (served.disk.calls.length > 10 ? gate.pass() : undefined);
    return { ...served, gate };
  }

  test('when its client is gone', async () => {
    const { client, disk, server, connect, gate } = await underWay();
    client.request(everything);
    await gate.reached;
    await client.vanish();
    disk.before = () => {};
    await (await connect()).enter(); // By now the end has been seen.
    gate.open();
    await expect.poll(() => server.statistics.requests.now, SOON).toBe(0);
    expect(disk.calls.length).toBeLessThan(20);
  });

  test('when its client closes its side without taking leave, and says so', async () => {
    const { client, disk, gate, server, connect } = await underWay();
    client.request({ ...everything, cookie: 1 }, { type: TRIM, cookie: 2, length: GIB });
    await gate.reached;
    client.socket.end();
    const other = await connect(); // By the time of its greeting the end has been seen.
    await other.enter();
    gate.open();
    expect(await client.simpleReply()).toMatchObject({ error: ESHUTDOWN, cookie: 1 });
    expect(await client.simpleReply()).toMatchObject({ error: ESHUTDOWN, cookie: 2 });
    await client.ended;
    expect(disk.calls.length).toBeLessThan(20);
    await expect.poll(() => server.statistics.clients.now, SOON).toBe(1);
  });

  test('but not when that has taken leave: what it asked for before is done', async () => {
    const { client, disk, gate } = await underWay();
    client.request({ type: WRITE_ZEROES, length: 16 * MIB }, { type: DISC });
    await gate.reached;
    client.socket.end();
    gate.open();
    expect((await client.simpleReply()).error).toBe(0);
    await client.ended;
    expect(disk.calls).toHaveLength(16 * 8);
  });
});

describe('TRIM', () => {
  test.each([
    ['whole blocks', 1024, 4096, [[2, 8]]],
    ['the whole blocks inside', 700, 4096, [[2, 7]]],
    ['nothing where there is no whole block', 700, 600, []],
    ['nothing of a part of a block', 0, 511, []],
  ])('trims %s', async (_, offset, length, blocks) => {
    const { client, disk, exported } = await serveClient({ disk: trimmable() });
    client.request({ type: TRIM, cookie: 7, offset, length });
    expect(await client.simpleReply()).toMatchObject({ error: 0, cookie: 7 });
    expect(disk.calls.map((call) => [call.block, call.blocks])).toEqual(blocks);
    expect(exported.statistics).toMatchObject({ trims: 1, bytesTrimmed: length, errors: 0 });
  });

  test('with FUA is followed by a flush', async () => {
    const { client, disk } = await serveClient({ disk: trimmable() });
    client.request({ type: TRIM, length: 512, flags: FUA });
    expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['trim', 'flush']);
  });

  test('of 4 GiB goes to the device in pieces, one after the other', async () => {
    const { client, disk } = await serveClient({ disk: hugeDisk() });
    client.request({ type: TRIM, offset: 512, length: 4 * GIB - 512 });
    expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls).toHaveLength(32);
    expect(disk.calls.reduce((sum, { blocks }) => sum + blocks, 0)).toBe((4 * GIB - 512) / 512);
  });

  test('in a flood has one call of the device under way, and others are served', async () => {
    const { client, disk, server, connect } = await serveClient({ disk: hugeDisk() });
    const gate = new Gate();
    disk.before = ({ kind }) => (kind === 'trim' ? gate.pass() : undefined);
    client.request(...Array.from({ length: 1000 }, () => ({ type: TRIM, length: GIB })));
    await gate.reached;
    await expect.poll(() => server.statistics.requests, SOON).toEqual({ now: 128, bytes: 0 });
    const other = await connect();
    await other.enter();
    other.request({ type: WRITE, payload: Buffer.alloc(512) }, { type: FLUSH });
    for (let reply = 0; reply < 2; reply += 1) expect((await other.simpleReply()).error).toBe(0);
    expect(disk.calls.filter(({ kind }) => kind === 'trim')).toHaveLength(1);
    await client.vanish();
    gate.open();
    await expect.poll(() => server.statistics.requests.now, SOON).toBe(0);
  });

  test('that fails is an error like any other', async () => {
    const { client, disk } = await serveClient({ disk: trimmable() });
    disk.before = () => {
      throw new DeviceError('fault', 'DATA SET MANAGEMENT was aborted');
    };
    client.request({ type: TRIM, length: 512 });
    expect((await client.simpleReply()).error).toBe(EIO);
  });
});

test('CACHE is taken as the hint that it is', async () => {
  const { client, disk } = await serveClient();
  client.request({ type: CACHE, length: MIB });
  expect((await client.simpleReply()).error).toBe(0);
  client.request({ type: CACHE, offset: MIB, length: 1 });
  expect((await client.simpleReply()).error).toBe(EINVAL);
  expect(disk.calls).toEqual([]);
});
