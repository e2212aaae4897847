import { describe, expect, test } from 'vitest';
import { exportQuery, RawClient, u32 } from './testing/raw-client.ts';
import { serve } from './testing/serve.ts';
import { TestDisk } from './testing/test-disk.ts';

const [EXPORT_NAME, ABORT, LIST, STARTTLS, INFO, GO, STRUCTURED_REPLY, LIST_META_CONTEXT] = [1, 2, 3, 5, 6, 7, 8, 9];
const [ACK, SERVER, UNSUPPORTED, INVALID, UNKNOWN, SHUTDOWN, TOO_BIG] = [
  1, 2, 0x80000001, 0x80000003, 0x80000006, 0x80000007, 0x80000009,
];
/** HAS_FLAGS, SEND_FLUSH, SEND_FUA, CAN_MULTI_CONN, SEND_CACHE. */
const ALWAYS = 1 | 4 | 8 | 256 | 1024;
/** SEND_WRITE_ZEROES, SEND_FAST_ZERO. */
const ZEROES = 64 | 2048;
const [READ_ONLY, TRIM, DF] = [2, 32, 128];

async function greeted(options?: Parameters<typeof serve>[0]) {
  const served = await serve(options);
  const client = await served.connect();
  expect(await client.greet()).toBe(3);
  return { ...served, client };
}

describe('in the handshake', () => {
  test('LIST names every export with its description', async () => {
    const { server, client } = await greeted({ description: 'the first' });
    server.export('second', new TestDisk({ simulated: true }));
    client.sendOption(LIST);
    expect([await client.optionReply(), await client.optionReply(), await client.optionReply()]).toEqual([
      { option: LIST, type: SERVER, data: Buffer.concat([u32(5), Buffer.from('disk0the first')]) },
      { option: LIST, type: SERVER, data: Buffer.concat([u32(6), Buffer.from('secondtest disk T1 (simulated)')]) },
      { option: LIST, type: ACK, data: Buffer.alloc(0) },
    ]);
  });

  test('INFO tells everything and stays in the handshake, GO tells it again and leaves it', async () => {
    const { client } = await greeted();
    const told = await client.go('disk0', [0, 1, 2, 3, 4711], INFO);
    expect(told).toMatchObject({ sizeBytes: 2048 * 512, flags: ALWAYS | ZEROES });
    expect([...told.infos].map(([type, data]) => [type, data.toString('latin1')])).toEqual([
      [0, expect.anything()],
      [1, 'disk0'],
      [2, 'test disk T1'],
      [3, '\0\0\0\u0001\0\0\u0010\0\u0002\0\0\0'],
    ]);
    expect((await client.go('disk0', [0, 1, 2, 3, 4711])).infos).toEqual(told.infos);
    client.request({ type: 0, length: 1 });
    expect((await client.simpleReply(1)).error).toBe(0);
  });

  test.each([
    ['a read-only export', { readOnly: true }, {}],
    ['a read-only disk', {}, { readOnly: true }],
  ])('%s says so', async (_, options, info) => {
    const { client } = await greeted({ ...options, disk: new TestDisk(info) });
    expect((await client.go()).flags).toBe(ALWAYS | READ_ONLY);
  });

  test.each([
    ['is offered', {}, ALWAYS | ZEROES | TRIM],
    ['is not offered with a read-only export', { readOnly: true }, ALWAYS | READ_ONLY],
  ])('trim of a disk that knows it %s', async (_, options, flags) => {
    const { client } = await greeted({ ...options, disk: new TestDisk({ trim: true }) });
    expect((await client.go()).flags).toBe(flags);
  });

  test('structured replies bring the flag DF', async () => {
    const { client } = await greeted();
    expect(await client.option(STRUCTURED_REPLY)).toBe(ACK);
    expect((await client.go()).flags).toBe(ALWAYS | ZEROES | DF);
  });

  test('a disk of large blocks prefers them', async () => {
    const { client } = await greeted({ disk: new TestDisk({ blockSizeBytes: 16_384, blockCount: 4 }) });
    expect((await client.go('', [3])).infos.get(3)?.readUInt32BE(4)).toBe(16_384);
  });

  test('what is not known is refused, skipped, and does no harm', async () => {
    const { client } = await greeted();
    expect(await client.option(STARTTLS)).toBe(UNSUPPORTED);
    expect(await client.option(LIST_META_CONTEXT, Buffer.alloc(3000))).toBe(UNSUPPORTED);
    expect(await client.option(0xfeedface, Buffer.alloc(1_000_000, 'IHAVEOPT'))).toBe(UNSUPPORTED);
    expect((await client.go()).sizeBytes).toBe(2048 * 512);
  });

  test('what is malformed is refused', async () => {
    const { client } = await greeted();
    expect(await client.option(LIST, Buffer.alloc(1))).toBe(INVALID);
    expect(await client.option(STRUCTURED_REPLY, Buffer.alloc(1))).toBe(INVALID);
    expect(await client.option(GO, Buffer.alloc(5))).toBe(INVALID);
    expect(await client.option(INFO, Buffer.concat([u32(100), exportQuery('disk0')]))).toBe(INVALID);
    expect(await client.option(GO, exportQuery('x'.repeat(5000)))).toBe(TOO_BIG);
    expect(await client.option(GO, exportQuery('nothing'))).toBe(UNKNOWN);
    expect((await client.go()).sizeBytes).toBe(2048 * 512);
  });

  test('ABORT is answered, then the connection ends', async () => {
    const { client } = await greeted();
    expect(await client.option(ABORT, Buffer.from('bye'))).toBe(ACK);
    await client.ended;
  });

  test.each([
    ['with zeroes', 1, 134],
    ['without zeroes', 3, 10],
    ['for a client that knows neither', 0, 134],
  ])('EXPORT_NAME %s leads to the transmission phase', async (_, flags, bytes) => {
    const { connect, disk } = await serve();
    const client = await connect();
    await client.greet(flags);
    client.sendOption(EXPORT_NAME, Buffer.from('disk0'));
    const reply = await client.read(bytes);
    expect(reply.readBigUInt64BE(0)).toBe(BigInt(disk.content.length));
    expect(reply.readUInt16BE(8)).toBe(ALWAYS | ZEROES);
    client.request({ type: 0, offset: 100, length: 100 });
    expect((await client.simpleReply(100)).data).toEqual(disk.content.subarray(100, 200));
  });

  test('EXPORT_NAME of what is not there ends the connection', async () => {
    const { client, complaints } = await greeted();
    client.sendOption(EXPORT_NAME, Buffer.from('nothing'));
    await client.ended;
    expect(complaints).toEqual(['client 1: disconnected: there is no export "nothing"']);
  });

  test('the default export is the first one, and nobody else when that is gone', async () => {
    const { server, exported, client } = await greeted();
    server.export('second', new TestDisk({ blockCount: 1 }));
    expect((await client.go('', [], INFO)).sizeBytes).toBe(2048 * 512);
    await exported.withdraw('replaced');
    await expect(client.go('', [], INFO)).rejects.toThrow('there is no export ""');
    server.export('disk0', new TestDisk({ blockCount: 3 }));
    expect((await client.go('')).sizeBytes).toBe(3 * 512);
  });

  test('a server on its way down refuses everything but ABORT', async () => {
    const { server, connect, clock } = await serve();
    const [client, silent] = [await connect(), await connect()];
    await client.greet();
    const closed = server.close();
    for (const option of [LIST, INFO, GO, STRUCTURED_REPLY, 99]) expect(await client.option(option)).toBe(SHUTDOWN);
    expect(await client.option(ABORT)).toBe(ACK);
    await client.ended;
    client.socket.end();
    await clock.advance(250_000);
    await silent.ended;
    silent.socket.end();
    await closed;
  });
});

describe('a name for an export', () => {
  test.each([
    ['', 'needs a name'],
    ['x'.repeat(4097), 'at most 4096 bytes'],
    ['a\0b', 'no NUL'],
  ])('%j is refused', async (name, message) => {
    const { server } = await serve();
    expect(() => server.export(name, new TestDisk())).toThrow(message);
  });

  test('is taken once', async () => {
    const { server } = await serve();
    expect(() => server.export('disk0', new TestDisk())).toThrow("there is an export 'disk0' already");
  });

  test('of 4096 bytes works', async () => {
    const { server, path } = await serve();
    const name = '€'.repeat(1365);
    server.export(name, new TestDisk({ blockCount: 7 }));
    const client = await RawClient.connect({ path });
    await client.greet();
    expect((await client.go(name)).sizeBytes).toBe(7 * 512);
    client.socket.destroy();
  });
});
