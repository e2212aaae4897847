import { DeviceError } from '@ring3/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeRequest, exportQuery, type RawClient, u16, u32, u64 } from './testing/raw-client.ts';
import { type Served, SOON, serve, serveClient } from './testing/serve.ts';
import { Gate } from './testing/test-disk.ts';

const [READ, WRITE, DISC, FLUSH] = [0, 1, 2, 3];
const SEED = Number(process.env['RING3_SEED'] ?? 1);

/** Whether somebody else is served as if nothing had happened. */
async function expectServed({ connect, disk }: Served): Promise<void> {
  const other = await connect();
  await other.enter();
  other.request({ type: READ, offset: 512, length: 512 });
  expect((await other.simpleReply(512)).data.equals(disk.content.subarray(512, 1024))).toBe(true);
  await other.vanish();
}

/** Whether everything that clients held is given back. */
async function expectNothingHeld({ server }: Served): Promise<void> {
  await expect
    .poll(() => server.statistics, SOON)
    .toMatchObject({
      clients: { now: 0 },
      requests: { now: 0, bytes: 0 },
    });
}

describe('a client that breaks the handshake is disconnected, and only that one', () => {
  test.each<[string, (client: RawClient) => void]>([
    ['unknown client flags', (client) => client.send(u32(0x80000003))],
    ['garbage for an option', (client) => client.send(u32(3), Buffer.alloc(64, 'GET / HTTP/1.1\r\n'))],
    ['an option that claims 4 GiB', (client) => client.send(u32(3), Buffer.from('IHAVEOPT'), u32(3), u32(0xffffffff))],
    ['the old style, that is silence with a hang-up', (client) => client.socket.end()],
    ['half an option and a hang-up', (client) => client.socket.end(Buffer.concat([u32(3), Buffer.from('IHAVE')]))],
  ])('%s', async (_, misbehave) => {
    const served = await serve();
    const client = await served.connect();
    await client.read(18);
    misbehave(client);
    await client.ended;
    client.socket.end();
    await expectServed(served);
    await expectNothingHeld(served);
  });

  test('silence, after ten seconds', async () => {
    const served = await serve();
    const [silent, slow] = [await served.connect(), await served.connect()];
    await slow.greet();
    await served.clock.advance(9_999_000);
    expect(await slow.option(99)).toBe(0x80000001);
    slow.sendOption(7, Buffer.alloc(0)); // A byte now and then is no help.
    await served.clock.advance(1_000);
    await Promise.all([silent.ended, slow.ended]);
    expect(served.complaints[0]).toBe('client 1: disconnected: it did not finish the handshake');
    await expectServed(served);
    await expectNothingHeld(served);
  });

  test('who has finished it may be silent for ever', async () => {
    const { client, clock, disk } = await serveClient();
    await clock.advance(365 * 86_400_000_000);
    client.request({ type: READ, length: 512 });
    expect((await client.simpleReply(512)).data.equals(disk.content.subarray(0, 512))).toBe(true);
  });

  test('a flood of options that are never read stops being received', async () => {
    const served = await serve();
    const client = await served.connect();
    await client.greet();
    client.socket.pause();
    const list = Buffer.concat([Buffer.from('IHAVEOPT'), u32(3), u32(0)]);
    client.socket.write(Buffer.concat(Array.from({ length: 60_000 }, () => list)));
    for (let round = 0; round < 20; round += 1) await expectServed(served);
    expect(client.socket.writableLength).toBeGreaterThan(0);
    await client.vanish();
    await expectNothingHeld(served);
  });
});

describe('a client that breaks the transmission phase is disconnected, and only that one', () => {
  test.each<[string, Buffer]>([
    ['a wrong magic number', Buffer.alloc(28, 0x55)],
    ['a write that claims 4 GiB', encodeRequest({ type: WRITE, length: 0xffffffff })],
  ])('%s', async (_, bytes) => {
    const served = await serveClient();
    served.client.send(bytes);
    await served.client.ended;
    expect(served.complaints).toHaveLength(1);
    await expectServed(served);
    await expectNothingHeld(served);
  });

  test.each<[string, Buffer]>([
    ['in the middle of a header', encodeRequest({ type: READ, length: 512 }).subarray(0, 13)],
    ['before the payload of a write', encodeRequest({ type: WRITE, length: 65_536 })],
    [
      'in the middle of the payload of a write',
      encodeRequest({ type: WRITE, length: 1_000_000, payload: Buffer.alloc(400_000) }),
    ],
    [
      'in the middle of the payload of a refused write',
      encodeRequest({ type: WRITE, offset: 2 ** 40, length: 1_000_000, payload: Buffer.alloc(400_000) }),
    ],
  ])('who vanishes %s leaves nothing behind', async (_, bytes) => {
    const served = await serveClient();
    served.client.send(bytes);
    served.client.socket.end();
    await served.client.ended;
    await expectNothingHeld(served);
    expect(served.disk.calls).toEqual([]);
    await expectServed(served);
  });

  test('who vanishes while the device works leaves nothing behind', async () => {
    const served = await serveClient();
    const gate = new Gate();
    served.disk.before = () => gate.pass();
    served.client.request(
      { type: READ, length: 100_000 },
      { type: WRITE, payload: Buffer.alloc(512) },
      { type: FLUSH },
    );
    await gate.reached;
    await served.client.vanish();
    served.disk.before = () => {};
    await expectServed(served);
    gate.open(); // What the device works on ends by itself; only then is its memory free.
    await expectServed(served);
    await expectNothingHeld(served);
  });

  test('who vanishes before taking the reply leaves nothing behind', async () => {
    const served = await serveClient();
    served.client.socket.pause();
    served.client.request(...Array.from({ length: 100 }, (_, cookie) => ({ type: READ, cookie, length: 500_000 })));
    await expect.poll(() => served.server.statistics.requests.now, SOON).toBeGreaterThan(10);
    await served.client.vanish();
    await expectNothingHeld(served);
    await expectServed(served);
  });

  test('after DISC nothing is served any more, and what came before it is answered', async () => {
    const { client, disk } = await serveClient();
    const gate = new Gate();
    disk.before = () => gate.pass();
    client.request({ type: WRITE, cookie: 1, payload: Buffer.alloc(512, 'x') }, { type: DISC }, { type: FLUSH });
    await gate.reached;
    gate.open();
    expect(await client.simpleReply()).toMatchObject({ error: 0, cookie: 1 });
    await client.ended;
    expect(client.pendingBytes).toBe(0);
    expect(disk.calls.map(({ kind }) => kind)).toEqual(['write']);
  });

  test('who closes only its own side is still answered', async () => {
    const served = await serveClient();
    const gate = new Gate();
    served.disk.before = ({ block }) => (block === 0 ? gate.pass() : undefined);
    served.client.request({ type: READ, length: 512 });
    served.client.socket.end();
    await gate.reached;
    await expectServed(served); // By now the end has been seen.
    gate.open();
    expect((await served.client.simpleReply(512)).data.equals(served.disk.content.subarray(0, 512))).toBe(true);
    await served.client.ended;
  });
});

describe('garbage', () => {
  const anything = fc.uint8Array({ maxLength: 300 });
  const option = fc
    .tuple(
      fc.oneof(fc.nat(12), fc.nat()),
      fc.oneof(anything, fc.constant(exportQuery('disk0', [3]))),
      fc.option(fc.nat(70_000)),
    )
    .map(([type, data, lie]) => Buffer.concat([Buffer.from('IHAVEOPT'), u32(type), u32(lie ?? data.length), data]));
  const request = fc
    .record({
      type: fc.oneof(fc.nat(8), fc.nat(0xffff)),
      flags: fc.oneof(fc.constant(0), fc.nat(0xffff)),
      offset: fc.oneof(fc.nat(2048 * 512), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      length: fc.oneof(fc.nat(5000), fc.nat(0xffffffff)),
      payload: anything,
    })
    .map((fields) => encodeRequest(fields));
  const cuts = fc.array(fc.nat(400), { maxLength: 4 });

  async function survives(
    handshake: boolean,
    stream: Buffer,
    places: readonly number[],
    served: Served,
  ): Promise<void> {
    const client = await served.connect();
    if (handshake) await client.greet();
    else await client.enter({ structured: stream.length % 2 === 0 });
    let at = 0;
    for (const place of [...places, stream.length]) {
      client.socket.write(stream.subarray(at, at + place));
      at = Math.min(at + place, stream.length);
      await served.clock.advance(0);
    }
    await client.vanish();
    await expectServed(served);
    await expectNothingHeld(served);
  }

  test('in the handshake harms nobody', { timeout: 60_000 }, async () => {
    const served = await serve();
    const stream = fc.array(fc.oneof(option, option, anything), { maxLength: 6 }).map((parts) => Buffer.concat(parts));
    const property = fc.asyncProperty(stream, cuts, (bytes, places) => survives(true, bytes, places, served));
    await fc.assert(property, { numRuns: 150, seed: SEED });
  });

  test('in the transmission phase harms nobody', { timeout: 60_000 }, async () => {
    const served = await serve();
    const before = Buffer.from(served.disk.content);
    served.disk.before = ({ kind }) => {
      if (kind === 'write') throw new DeviceError('fault', 'garbage shall not be written');
    };
    const stream = fc
      .array(fc.oneof(request, request, anything), { maxLength: 8 })
      .map((parts) => Buffer.concat(parts));
    const property = fc.asyncProperty(stream, cuts, (bytes, places) => survives(false, bytes, places, served));
    await fc.assert(property, { numRuns: 150, seed: SEED });
    expect(served.disk.content.equals(before)).toBe(true);
  });

  test('the lies of one client do not disturb the requests of another', async () => {
    const served = await serveClient();
    const liars = await Promise.all(Array.from({ length: 8 }, () => served.connect()));
    for (const liar of liars) {
      await liar.enter();
      liar.send(encodeRequest({ type: WRITE, offset: 0, length: 900_000 }), Buffer.alloc(100_000));
      liar.send(u16(1), u64(2));
    }
    for (let round = 0; round < 20; round += 1) {
      served.client.request({ type: READ, cookie: round, offset: round * 1000, length: 1000 });
      const { cookie, data } = await served.client.simpleReply(1000);
      expect([cookie, data]).toEqual([round, served.disk.content.subarray(round * 1000, round * 1000 + 1000)]);
    }
    expect(served.disk.calls.every(({ kind }) => kind === 'read')).toBe(true);
  });
});
