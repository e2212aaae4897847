import { setImmediate as turn } from 'node:timers/promises';
import { DeviceError, SERIAL_PORT, ServiceDirectory, SILENT } from '@ring3/core';
import { ManualClock, readExactly, serialCable, serialPattern, serialPortConformance } from '@ring3/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { connectServices, type ServiceConnection } from './connect-services.ts';
import { serveServices } from './serve-services.ts';
import { socketFolder } from './testing/served.ts';
import { WIRES } from './wires.ts';

/** A cable in memory, one end of it behind a real Unix socket. */
async function start() {
  const path = `${await socketFolder()}/host.sock`;
  const clock = new ManualClock();
  const [served, peer] = serialCable(clock);
  const directory = new ServiceDirectory();
  directory.publish(SERIAL_PORT, 'port0', served);
  const server = await serveServices(directory, {
    socket: path,
    device: 'serial0',
    generation: 1,
    wires: WIRES,
    log: SILENT,
  });
  const connect = () => connectServices(path, { wires: WIRES, log: SILENT, session: 'front' });
  const connection = await connect();
  onTestFinished(() => connection.close());
  const port = connection.services.get(SERIAL_PORT, 'port0');
  onTestFinished(() => server.close('the test is over'));
  const pass = async (us: number) => {
    for (let left = us; left > 0; left -= STEP_US) {
      await turn(); // The socket is real.
      await clock.advance(Math.min(left, STEP_US));
    }
  };
  const settle = async <T>(promise: Promise<T>) => {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    while (!settled) await pass(STEP_US);
    return promise;
  };
  return { served, peer, port, connection, connect, pass, settle };
}

const STEP_US = 10_000;

serialPortConformance({
  name: 'over the wire',
  start: async () => {
    const { served, connection, ...rest } = await start();
    return { ...rest, close: async () => served.close(), stop: async () => connection.close() };
  },
});

it('takes nothing more for a client that is gone', async () => {
  const { peer, port, connection, connect, settle } = await start();
  const reading = port.read(new Uint8Array(10)).catch((error: unknown) => error);
  connection.close();
  expect(await reading).toBeInstanceOf(DeviceError);
  const again: ServiceConnection = await connect();
  onTestFinished(() => again.close());
  await settle(peer.write(Uint8Array.of(1, 2, 3)));
  expect([...(await settle(readExactly(again.services.get(SERIAL_PORT, 'port0'), 3)))]).toEqual([1, 2, 3]);
});

it('holds the sender back when nobody reads at the other side of the wire', async () => {
  const { peer, port, settle, pass } = await start();
  await settle(Promise.all([port, peer].map((end) => end.set({ flowControl: 'rts-cts' }))));
  const data = serialPattern(20_000);
  let written = false;
  const writing = peer.write(data).then(() => {
    written = true;
  });
  await settle(readExactly(port, 10));
  await pass(30_000_000);
  expect(written).toBe(false);
  expect(Buffer.compare(await settle(readExactly(port, 19_990)), data.subarray(10))).toBe(0);
  await settle(writing);
});

it('gives a write up in the other process, too', async () => {
  const { peer, port, settle } = await start();
  await settle(port.set({ flowControl: 'rts-cts' }));
  await settle(peer.set({ rts: false }));
  const abort = new AbortController();
  const stuck = port.write(serialPattern(5000), { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(settle(stuck)).rejects.toThrow('enough');
  await settle(peer.set({ rts: true }));
  await settle(port.write(Uint8Array.of(9)));
  expect([...(await settle(readExactly(peer, 1)))]).toEqual([9]);
});

it.each([
  ['read', { bytes: 0 }, 'a read of 0 bytes'],
  ['read', {}, 'a read of undefined bytes'],
  ['set', { change: 7 }, 'change is 7'],
  ['set', { change: { parity: 'some' } }, 'parity some'],
  ['fly', {}, 'no method "fly"'],
])('refuses the call %s %j', async (method, args, words) => {
  const { served } = await start();
  const { serve } = WIRES.find(({ serviceClass }) => serviceClass.name === 'serial-port') ?? expect.fail('no wire');
  const { signal } = new AbortController();
  await expect(serve(served, { method, args, from: undefined, into: undefined, signal })).rejects.toThrow(words);
});
