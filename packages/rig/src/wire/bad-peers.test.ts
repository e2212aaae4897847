import { createServer } from 'node:net';
import { join } from 'node:path';
import { BLOCK_DEVICE, SILENT } from '@ring3/core';
import { ManualClock, MemoryDisk } from '@ring3/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectServices } from './connect-services.ts';
import { HeldDisk } from './testing/held-disk.ts';
import { frameOf, RawClient, serveDisk, socketFolder } from './testing/served.ts';
import { ConnectionLostError } from './wire-error.ts';
import { WIRES } from './wires.ts';

const HELLO = { type: 'hello', version: 1, session: 'test' };
const sector = (value = 0) => new Uint8Array(512).fill(value);

describe('a client that does not keep to the protocol', () => {
  async function bystander() {
    const disk = new MemoryDisk();
    const served = await serveDisk(disk);
    const good = (await served.connect()).services.get(BLOCK_DEVICE, 'disk0');
    const raw = new RawClient(served.path);
    return { raw, unharmed: () => good.write(1, sector(1)) };
  }

  it.each([
    ['garbage', (raw: RawClient) => raw.socket.write('GET / HTTP/1.1\r\n\r\n'), 'protocol'],
    ['no message', (raw: RawClient) => raw.say({ type: 'sing' }), 'protocol'],
    ['an array', (raw: RawClient) => raw.say([]), 'protocol'],
    [
      'a call before hello',
      (raw: RawClient) => raw.say({ type: 'call', id: 1, service: 1, method: 'flush', args: {} }),
      'protocol',
    ],
    ['hello twice', (raw: RawClient) => [HELLO, HELLO].map((hello) => raw.say(hello)), 'protocol'],
  ])('by %s is told why and cut off, alone', async (_, say, code) => {
    const { raw, unharmed } = await bystander();
    say(raw);
    expect((await raw.ended).at(-1)).toMatchObject({ type: 'bye', code });
    await unharmed();
  });

  it('because it is of another version reads both versions', async () => {
    const { raw } = await bystander();
    raw.say({ type: 'hello', version: 2, session: 'x' });
    const words =
      'this device host speaks version 1 of the service protocol, its client 2: run the same ring3 on both sides';
    expect((await raw.ended).at(-1)).toEqual({ type: 'bye', reason: words, code: 'protocol' });
  });

  it('in a call only gets an error for that call', async () => {
    const { raw, unharmed } = await bystander();
    raw.say(HELLO);
    await raw.heard(({ type }) => type === 'hello');
    const calls = [
      { service: 1, method: 'format', args: {} },
      { service: 1, method: 'constructor', args: {} },
      { service: 9, method: 'flush', args: {} },
      { service: 1, method: 'read', args: { block: 0 } },
      { service: 1, method: 'read', args: { block: 'first' }, into: 512 },
      { service: 1, method: 'read', args: { block: 0 }, into: 100 },
      { service: 1, method: 'read', args: { block: 0 }, into: 2 ** 40 },
      { service: 1, method: 'write', args: { block: 0 } },
      { service: 1, method: 'write', args: { block: 0, fua: 'yes' } },
    ];
    calls.forEach((call, id) => void raw.say({ type: 'call', id, ...call }));
    const errorOf = async (id: number) => (await raw.heard((message) => message['id'] === id))['error'];
    expect(await Promise.all(calls.map((_, id) => errorOf(id)))).toMatchObject([
      { name: 'TypeError', message: 'a block-device has no method "format"' },
      { name: 'TypeError', message: 'a block-device has no method "constructor"' },
      { name: 'DeviceError', code: 'not-found', message: 'there is no service 9 on this socket' },
      { name: 'TypeError', message: 'read came without into, the length of its result' },
      { name: 'TypeError', message: 'block is "first", not a number' },
      { name: 'RangeError' },
      { name: 'RangeError' },
      { name: 'TypeError', message: 'write came without a payload' },
      { name: 'TypeError' },
    ]);
    await unharmed();
  });

  it('and leaves in the middle of a frame does no harm', async () => {
    const { raw, unharmed } = await bystander();
    raw.say(HELLO);
    await raw.heard(({ type }) => type === 'hello');
    raw.socket.end(Buffer.from([200, 0, 0, 0, 0, 2, 0, 0, 123]));
    await raw.ended;
    await unharmed();
  });

  it('and reads nothing costs bounded memory: it is not served any more', async () => {
    const disk = new HeldDisk();
    const { path } = await serveDisk(disk);
    const raw = new RawClient(path);
    raw.say(HELLO);
    await raw.heard(({ type }) => type === 'hello');
    raw.socket.pause();
    const bytes = 256 * 512;
    for (let id = 0; id < 2000; id++)
      raw.say({ type: 'call', id, service: 1, method: 'read', args: { block: 0 }, into: bytes });
    await disk.arrived(256); // 32 MiB
    for (const { done } of disk.held) done();
    const other = new RawClient(path); // A round trip: whatever was to be started has been.
    other.say({ ...HELLO, session: 'other' });
    await other.heard(({ type }) => type === 'hello');
    expect(disk.held.length).toBeLessThan(265); // What the socket itself took.
  });
});

describe('a host that does not keep to the protocol', () => {
  /** Says one thing for each chunk that it hears: chunks are frames here, since the client waits for each answer. */
  async function hostSaying(...said: { message: object; payload?: Uint8Array }[]) {
    const path = join(await socketFolder(), 'host.sock');
    const server = createServer((socket) => {
      const rest = [...said];
      socket.on('error', () => {});
      socket.on('data', () => {
        const next = rest.shift();
        if (next !== undefined) socket.write(frameOf(next.message, next.payload));
      });
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    return path;
  }
  const offer = { service: 1, class: 'block-device', name: 'disk0', info: new MemoryDisk().info };
  const hello = { message: { type: 'hello', version: 1, device: 'd', generation: 1, services: [offer] } };
  const options = { wires: WIRES, log: SILENT };

  it('because it is of another version is refused with both versions', async () => {
    const path = await hostSaying({ message: { type: 'hello', version: 7 } });
    await expect(connectServices(path, options)).rejects.toMatchObject({
      code: 'protocol',
      message: `${path}: the process there speaks version 7 of the service protocol, this one 1: run the same ring3 on both sides`,
    });
  });

  it('because it sends garbage is refused', async () => {
    const path = await hostSaying({ message: { type: 'sing' } });
    await expect(connectServices(path, options)).rejects.toMatchObject({ code: 'protocol' });
  });

  it('because it answers what nobody asked is cut off', async () => {
    const path = await hostSaying(hello, { message: { type: 'result', id: 5 } });
    const connection = await connectServices(path, options);
    const flush = connection.services.get(BLOCK_DEVICE, 'disk0').flush();
    await expect(flush).rejects.toThrow(ConnectionLostError);
    expect(await connection.closed).toBe('an answer to call 5, which is not in flight');
  });

  it('in the length of a result fails that call only', async () => {
    const short = { message: { type: 'result', id: 1 }, payload: sector(7).subarray(1) };
    const path = await hostSaying(hello, short, { message: { type: 'result', id: 2 } });
    const connection = await connectServices(path, options);
    const disk = connection.services.get(BLOCK_DEVICE, 'disk0');
    const into = sector();
    await expect(disk.read(0, into)).rejects.toMatchObject({ code: 'protocol' });
    expect(into).toEqual(sector());
    await disk.flush();
    connection.close();
  });

  it('because it says nothing is given up', async () => {
    const clock = new ManualClock();
    const refused = connectServices(await hostSaying(), { ...options, clock, timeoutUs: 1000 });
    const words = expect(refused).rejects.toMatchObject({ code: 'timeout' });
    await clock.advance(1000);
    await words;
  });
});
