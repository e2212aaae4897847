import { DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import type { RawClient } from './testing/raw-client.ts';
import { serveClient } from './testing/serve.ts';
import { TestDisk } from './testing/test-disk.ts';

const [READ, WRITE, FLUSH] = [0, 1, 3];
const DF = 4;
const [EIO, EOVERFLOW] = [5, 75];
const [NONE_DONE, DATA, ERROR, ERROR_OFFSET] = [1, 1, 0x8001, 0x8002];
const MIB = 2 ** 20;

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

describe('requests, answered with structured replies', () => {
  test('a read is one chunk of data when it is short', async () => {
    const { client, disk } = await serveClient({ structured: true });
    client.request({ type: READ, cookie: 9, offset: 1000, length: 5000 });
    const [chunk, ...more] = await client.chunks();
    expect(more).toEqual([]);
    expect(chunk).toMatchObject({ flags: NONE_DONE, type: DATA, cookie: 9 });
    expect(chunk?.payload.readBigUInt64BE(0)).toBe(1000n);
    expect(chunk?.payload.subarray(8)).toEqual(disk.content.subarray(1000, 6000));
  });

  test('a read is several chunks when it is long, cut at even places, and whole again', async () => {
    const disk = new TestDisk({ blockCount: 16_384 }).fill();
    const { client } = await serveClient({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    const [offset, length] = [65_536 * 3 - 1000, 65_536 * 20];
    client.request({ type: READ, offset, length });
    expect(await readChunks(client, offset, length)).toEqual(disk.content.subarray(offset, offset + length));
    expect(disk.calls.every(({ block, blocks }) => blocks === 1 || block % 128 === 0 || block === 383)).toBe(true);
  });

  test('with DF a long read is one chunk', async () => {
    const disk = new TestDisk({ blockCount: 16_384 }).fill();
    const { client } = await serveClient({ structured: true, disk });
    client.request({ type: READ, flags: DF, length: 5 * MIB });
    const [chunk, ...more] = await client.chunks();
    expect(more).toEqual([]);
    expect(chunk?.payload.subarray(8).equals(disk.content.subarray(0, 5 * MIB))).toBe(true);
  });

  test('a read over 32 MiB is EOVERFLOW', async () => {
    const { client } = await serveClient({ structured: true });
    client.request({ type: READ, length: 32 * MIB + 1 });
    expect(await readError(client)).toMatchObject({ type: ERROR, error: EOVERFLOW });
  });

  test('a bad block is told by its offset, for reads, long reads and writes', async () => {
    const disk = new TestDisk({ blockCount: 16_384 });
    const { client } = await serveClient({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    disk.damage(1000);
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
    const { client } = await serveClient({ structured: true, disk, limits: { chunkBytes: 65_536 } });
    disk.damage(128 * 5);
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
    const { client, disk } = await serveClient({ structured: true });
    disk.before = () => {
      throw new DeviceError('fault', 'x'.repeat(100_000));
    };
    client.request({ type: FLUSH });
    expect((await readError(client)).message).toBe('x'.repeat(4096));
  });
});
