import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SocketReader } from './socket-reader.ts';
import { takeOverSocket } from './take-over-socket.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

const WAYS = [
  ['own buffers', takeOverSocket],
  ["'data' events", () => undefined],
] as const;

/** Two ends of a connection: the server's is accepted and not read from. */
async function connection(): Promise<{ accepted: Socket; peer: Socket }> {
  const path = join(temporaryFolder(), 'sock');
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(path);
  await once(server, 'listening');
  const peer = createConnection(path);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    peer.destroy();
    accepted.destroy();
    server.close();
  });
  return { accepted, peer };
}

describe.each(WAYS)('the reader of a socket, with %s', (_, takeOver) => {
  async function reader() {
    const { accepted, peer } = await connection();
    return { peer, reader: new SocketReader(accepted, takeOver) };
  }

  test('cuts a stream into what is asked for, whatever the pieces in which it comes', async () => {
    const wish = fc.record({
      length: fc.oneof(fc.nat(40), fc.nat(5000), fc.integer({ min: 16_000, max: 200_000 })),
      kept: fc.boolean(),
    });
    const run = async (wishes: { length: number; kept: boolean }[], cuts: () => number): Promise<void> => {
      const { peer, reader: subject } = await reader();
      const total = wishes.reduce((sum, { length }) => sum + length, 0);
      const sent = Buffer.from(Array.from({ length: total }, (__, at) => (at * 31 + (at >> 8)) & 0xff));
      for (let at = 0; at < total; ) {
        const end = at + 1 + (cuts() % 70_000);
        peer.write(sent.subarray(at, end));
        at = end;
      }
      let at = 0;
      for (const { length, kept } of wishes) {
        if (kept) expect(Buffer.compare(await subject.read(length), sent.subarray(at, at + length))).toBe(0);
        else await new Promise<void>((resolve) => subject.skip(length, resolve));
        at += length;
      }
      peer.destroy();
      subject.socket.destroy();
    };
    await fc.assert(
      fc.asyncProperty(fc.array(wish, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (wishes, cuts) =>
        run(wishes, () => cuts.next().value ?? 0),
      ),
      { numRuns: 30 },
    );
  });

  test('receives no more than a little while nothing is asked for', async () => {
    const { peer, reader: subject } = await reader();
    peer.write(Buffer.alloc(8 * 2 ** 20));
    await subject.read(1);
    for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // The kernel's buffers take some; the rest stays with the sender until somebody wants it.
    expect(peer.writableLength).toBeGreaterThan(0);
    expect(subject.socket.bytesRead).toBeLessThanOrEqual(3 * 65_536);
    await subject.read(8 * 2 ** 20 - 1);
    expect(peer.writableLength).toBe(0);
  });

  test('sees the end of a connection whose bytes it throws away', async () => {
    const { peer, reader: subject } = await reader();
    const end = once(subject.socket, 'end');
    peer.end(Buffer.alloc(1_000_000));
    await subject.read(10);
    const half = subject.read(500_000);
    subject.discard();
    await end;
    expect(await Promise.race([half, 'dropped'])).toBe('dropped');
  });

  test('closing it closes what was accepted, so that the server can count', async () => {
    const { accepted, peer } = await connection();
    const subject = new SocketReader(accepted, takeOver);
    const closed = once(accepted, 'close');
    subject.discard();
    subject.socket.end();
    peer.end();
    await closed;
  });
});

test('this Node lets the reader have its own buffers', async () => {
  const { accepted } = await connection();
  expect(new SocketReader(accepted).socket).not.toBe(accepted);
});
