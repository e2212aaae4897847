import { type PublishedService, SILENT } from '@ring3/core';
import { ManualClock, MemoryDisk } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import type { ServiceConnection } from './connect-services.ts';
import { followDisk } from './follow-disk.ts';
import { ReconnectingDisk } from './reconnecting-disk.ts';
import { serveDisk } from './testing/served.ts';

async function setUp() {
  const served = await serveDisk(new MemoryDisk());
  const connection = await served.connect();
  const options = { name: 'disk0', clock: new ManualClock(), log: SILENT };
  const disk = new ReconnectingDisk(new MemoryDisk().info, options);
  await followDisk(disk, connection, onlyOf(connection));
  expect(disk.state).toBe('connected');
  return { ...served, connection, disk };
}

function onlyOf({ services }: ServiceConnection): PublishedService {
  const [published] = services.list();
  if (published === undefined) throw new Error('nothing is published');
  return published;
}

it('waits for the next life when the connection is lost', async () => {
  const { server, connect, connection, disk } = await setUp();
  const again = await connect();
  connection.close();
  await connection.closed;
  expect(disk.state).toBe('away');
  const read = disk.read(0, new Uint8Array(512));
  await followDisk(disk, again, onlyOf(again));
  await read;
  await server.close('stopping');
  await again.closed;
  expect(disk.state).toBe('away');
});

it('is over when the driver takes the disk offline', async () => {
  const { withdraw, disk } = await setUp();
  withdraw('it does not spin up');
  expect(await disk.withdrawn).toBe('it does not spin up');
});

it('is over also when the host goes right after the driver has taken the disk offline', async () => {
  const { withdraw, server, disk } = await setUp();
  withdraw('it does not spin up');
  void server.close('stopping');
  expect(await disk.withdrawn).toBe('it does not spin up');
});

it('keeps the new connection when the end of the old one is heard late', async () => {
  const { connect, connection, disk } = await setUp();
  const again = await connect();
  await followDisk(disk, again, onlyOf(again));
  connection.close();
  await connection.closed;
  expect(disk.state).toBe('connected');
});
