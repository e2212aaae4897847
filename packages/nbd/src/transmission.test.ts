import { DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import { serveClient } from './testing/serve.ts';
import { Gate } from './testing/test-disk.ts';

const [READ, WRITE, FLUSH] = [0, 1, 3];
const FUA = 1;
const [EPERM, EIO, EINVAL, ENOSPC, ESHUTDOWN] = [1, 5, 22, 28, 108];
const MIB = 2 ** 20;

describe('requests, answered with simple replies', () => {
  test('a read brings what is on the disk, aligned or not', async () => {
    const { client, disk } = await serveClient();
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
    const { client, disk } = await serveClient();
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
    const { client, disk } = await serveClient();
    client.request(
      { type: WRITE, flags: FUA, payload: Buffer.alloc(512) },
      { type: FLUSH },
      { type: FLUSH, flags: FUA },
    );
    for (let reply = 0; reply < 3; reply += 1) expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls.map(({ kind, fua }) => `${kind} ${fua}`)).toEqual(['write true', 'flush false', 'flush false']);
  });

  test('a FLUSH comes after every write that was answered before it', async () => {
    const { client, disk } = await serveClient();
    client.request({ type: WRITE, payload: Buffer.alloc(512) });
    await client.simpleReply();
    client.request({ type: FLUSH });
    await client.simpleReply();
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['write', 'flush']);
  });

  test('replies come as the device is done, in any order', async () => {
    const { client, disk } = await serveClient();
    const gate = new Gate();
    disk.before = ({ block }) => (block === 0 ? gate.pass() : undefined);
    client.request({ type: READ, cookie: 1, length: 512 }, { type: READ, cookie: 2, offset: 512, length: 512 });
    expect((await client.simpleReply(512)).cookie).toBe(2);
    gate.open();
    expect((await client.simpleReply(512)).cookie).toBe(1);
  });

  test('many requests are under way at once', async () => {
    const { client, disk } = await serveClient();
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
    const { client, disk, complaints, exported } = await serveClient();
    disk.damage(7);
    client.request({ type: READ, cookie: 1, length: 8 * 512 });
    expect(await client.simpleReply(0)).toMatchObject({ error: EIO, cookie: 1 });
    client.request({ type: READ, cookie: 2, length: 7 * 512 });
    expect(await client.simpleReply(7 * 512)).toMatchObject({ error: 0, cookie: 2 });
    client.request({ type: READ, cookie: 3, offset: 7 * 512, length: 512 });
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
    ['TRIM of a disk without', { type: 4, length: 512 }, EINVAL],
    ['BLOCK_STATUS', { type: 7, length: 512 }, EINVAL],
    ['a write of nothing', { type: WRITE }, EINVAL],
  ])('%s is refused, its payload passed over, and nothing is touched', async (_, request, error) => {
    const { client, disk } = await serveClient();
    client.request({ ...request, cookie: 5 }, { type: READ, cookie: 6, length: 512 });
    expect(await client.simpleReply()).toMatchObject({ error, cookie: 5 });
    expect(await client.simpleReply(512)).toMatchObject({ error: 0, cookie: 6 });
    expect(disk.calls).toHaveLength(1);
  });

  test('writes to a read-only export are refused', async () => {
    const { client, disk } = await serveClient({ readOnly: true });
    client.request({ type: WRITE, payload: Buffer.alloc(100_000) });
    expect((await client.simpleReply()).error).toBe(EPERM);
    client.request({ type: FLUSH });
    expect((await client.simpleReply()).error).toBe(0);
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['flush']);
  });

  test('a device that is gone is ESHUTDOWN, a mistake in a driver is EIO and an error in the log', async () => {
    const { client, disk, complaints } = await serveClient();
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
    const { client, disk } = await serveClient();
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
