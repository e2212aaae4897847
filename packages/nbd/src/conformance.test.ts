import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockDeviceConformance, MemoryDisk, type MemoryDiskOptions } from '@ring3/core/testing';
import { expect } from 'vitest';
import { NbdServer } from './nbd-server.ts';
import { NbdDisk } from './testing/nbd-disk.ts';
import { RawClient } from './testing/raw-client.ts';
import { SOON } from './testing/serve.ts';

/** What a client sees through the server owes what every block device owes. */
async function start(options: MemoryDiskOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'ring3-nbd-'));
  const server = await NbdServer.listen({ unix: join(folder, 'nbd.sock') });
  const clients: RawClient[] = [];
  const connect = async (name: string, memory: MemoryDisk): Promise<NbdDisk> => {
    const client = await RawClient.connect({ path: join(folder, 'nbd.sock') });
    clients.push(client);
    await client.enter({ name });
    return new NbdDisk(client, memory.info);
  };
  const disconnect = async (): Promise<void> => {
    for (const client of clients.splice(0)) client.socket.destroy();
    await expect.poll(() => server.statistics.clients.now, SOON).toBe(0);
  };
  const memory = new MemoryDisk({ ...options, trim: true });
  server.export('disk0', memory);
  const fixture = {
    disk: await connect('disk0', memory),
    settle: <T>(promise: Promise<T>): Promise<T> => promise,
    // With the power goes the connection: who would stay connected could not know what was lost.
    powerCut: async () => {
      await disconnect();
      memory.cutPower((block) => block % 3 === 0);
      fixture.disk = await connect('disk0', memory);
    },
    readOnlyDisk: () => {
      const readOnly = new MemoryDisk({ ...options, readOnly: true, trim: true });
      server.export('readonly', readOnly);
      return connect('readonly', readOnly);
    },
    close: () => fixture.disk.close(),
    stop: async () => {
      await disconnect();
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
  return fixture;
}

blockDeviceConformance({ name: 'a memory disk behind NBD', timeoutMs: 30_000, start: () => start({}) });
blockDeviceConformance({
  name: 'a memory disk of 4 KiB blocks, 16 at once, behind NBD',
  timeoutMs: 30_000,
  start: () => start({ blockSizeBytes: 4096, blockCount: 64, maxTransferBlocks: 16 }),
});
