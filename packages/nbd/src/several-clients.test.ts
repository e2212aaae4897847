import { describe, expect, test } from 'vitest';
import { serve } from './testing/serve.ts';
import { TestDisk } from './testing/test-disk.ts';

const [READ, WRITE] = [0, 1];

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
    expect((await two.chunk()).payload.subarray(8)).toEqual(Buffer.alloc(512));
  });

  test('are refused when there are enough', async () => {
    const { server, connect } = await serve({ limits: { clients: 2 } });
    const [one, , three] = [await connect(), await connect(), await connect()];
    await three?.ended;
    expect(server.statistics.clients).toEqual({ now: 2, total: 2, refused: 1 });
    await one?.enter();
  });
});
