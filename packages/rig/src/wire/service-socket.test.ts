import { BLOCK_DEVICE, type BlockDevice, serviceClass } from '@ring3/core';
import { blockDeviceConformance, MemoryDisk } from '@ring3/core/testing';
import { describe, expect, it } from 'vitest';
import { HeldDisk } from './testing/held-disk.ts';
import { RawClient, serveDisk } from './testing/served.ts';
import { ConnectionLostError } from './wire-error.ts';

const HELLO = { type: 'hello', version: 1, session: 'test' };

/** The value of all bytes, or that they differ. */
const onlyByte = (data: Uint8Array) => (data.every((byte) => byte === data[0]) ? data[0] : 'mixed');
const sector = (value = 0) => new Uint8Array(512).fill(value);

describe('services of another process', () => {
  it('are there when the connection stands, with what is known about them', async () => {
    const { connect } = await serveDisk(new MemoryDisk({ serial: 'S7', maxTransferBlocks: 1_000_000 }));
    const connection = await connect();
    expect([connection.device, connection.generation]).toEqual(['ata0', 3]);
    const { info } = connection.services.get(BLOCK_DEVICE, 'disk0');
    expect(info).toMatchObject({ serial: 'S7', blockSizeBytes: 512, simulated: true });
    expect(info.maxTransferBlocks).toBe(131_072); // 64 MiB, the longest payload.
  });

  it('say whether a disk can be trimmed', async () => {
    const { connect } = await serveDisk(new MemoryDisk({ trim: true }));
    expect((await connect()).services.get(BLOCK_DEVICE, 'disk0').info.trim).toBe(true);
    const other = await serveDisk(new MemoryDisk());
    const proxy = (await other.connect()).services.get(BLOCK_DEVICE, 'disk0');
    expect(proxy.info).not.toHaveProperty('trim');
    await expect(proxy.trim?.(0, 1)).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('come and go, with the reason of the driver', async () => {
    const { directory, connect } = await serveDisk(new MemoryDisk());
    const { services, lost } = await connect();
    const came = new Promise((resolve) => {
      services.services$.subscribe((service) => service.name === 'disk1' && resolve(service));
    });
    const withdraw = directory.publish(BLOCK_DEVICE, 'disk1', new MemoryDisk());
    await came;
    const proxy = services.get(BLOCK_DEVICE, 'disk1');
    const published = services.list().find(({ name }) => name === 'disk1');
    withdraw('it spun down');
    expect(await published?.withdrawn).toBe('it spun down');
    expect(lost.has(proxy)).toBe(false);
    await expect(proxy.flush()).rejects.toMatchObject({ code: 'gone', message: 'it spun down' });
    expect(services.list().map(({ name }) => name)).toEqual(['disk0']);
  });

  it('leave no caller waiting when they are withdrawn, even if the driver hangs', async () => {
    const disk = new HeldDisk();
    const { withdraw, connect } = await serveDisk(disk);
    const proxy = (await connect()).services.get(BLOCK_DEVICE, 'disk0');
    const read = proxy.read(1, sector());
    await disk.arrived(1);
    withdraw('the drive is dead');
    await expect(read).rejects.toMatchObject({ code: 'gone', message: 'the drive is dead' });
  });

  it('answer in any order', async () => {
    const disk = new HeldDisk();
    const { connect } = await serveDisk(disk);
    const proxy = (await connect()).services.get(BLOCK_DEVICE, 'disk0');
    const order: string[] = [];
    const first = proxy.read(1, sector()).then(() => order.push('first'));
    const second = proxy.read(2, sector()).then(() => order.push('second'));
    await disk.arrived(2);
    disk.held[1]?.done();
    await second;
    disk.held[0]?.done();
    await first;
    expect(order).toEqual(['second', 'first']);
  });

  it('throw what the service threw', async () => {
    const { connect } = await serveDisk(new MemoryDisk({ readOnly: true }));
    const proxy = (await connect()).services.get(BLOCK_DEVICE, 'disk0');
    await expect(proxy.write(0, sector())).rejects.toMatchObject({ name: 'DeviceError', code: 'unsupported' });
    await expect(proxy.read(5000, sector())).rejects.toThrow(new RangeError('1 blocks at 5000: the disk has 1024'));
    await expect(proxy.read(0, new Uint8Array(100))).rejects.toThrow(RangeError);
  });

  it('keep the data of each call apart while many are in flight', async () => {
    const disk = new HeldDisk();
    const { connect } = await serveDisk(disk);
    const proxy = (await connect()).services.get(BLOCK_DEVICE, 'disk0');
    const blocks = Array.from({ length: 40 }, (_, block) => block);
    const into = blocks.map(() => new Uint8Array(65_536));
    const first = blocks.map((block) => proxy.write(block, new Uint8Array(65_536).fill(block)));
    await disk.arrived(40);
    for (const { done } of disk.held.slice(0, 20)) done();
    await Promise.all(first.slice(0, 20));
    const rest = blocks.map((block) => proxy.read(block, into[block] ?? sector()));
    await disk.arrived(80);
    for (const { what, data } of disk.held.slice(20, 40)) expect(onlyByte(data)).toBe(Number(what.split(' ')[1]));
    for (const { what, data, done } of disk.held.slice(20)) {
      if (what.startsWith('read')) data.fill(Number(what.split(' ')[1]));
      done();
    }
    await Promise.all([...first, ...rest]);
    expect(into.map(onlyByte)).toEqual(blocks);
  });

  it('of a class without a wire are not offered, and do no harm', async () => {
    const { directory, connect } = await serveDisk(new MemoryDisk());
    directory.publish(serviceClass<object>('toaster'), 'kitchen', {});
    expect((await connect()).services.list().map(({ name }) => name)).toEqual(['disk0']);
  });

  it('serve several clients at once', async () => {
    const { server, connect } = await serveDisk(new MemoryDisk());
    const [one, two] = [await connect(), await connect()];
    await one.services.get(BLOCK_DEVICE, 'disk0').write(3, sector(9));
    const into = sector();
    await two.services.get(BLOCK_DEVICE, 'disk0').read(3, into);
    expect(into).toEqual(sector(9));
    expect(server.clients).toBe(2);
  });
});

describe('a lost connection', () => {
  it('fails what is in flight and what comes later, and withdraws the services', async () => {
    const disk = new HeldDisk();
    const { server, connect } = await serveDisk(disk);
    const connection = await connect();
    const proxy = connection.services.get(BLOCK_DEVICE, 'disk0');
    const [published] = connection.services.list();
    const read = proxy.read(1, sector());
    const lost = expect(read).rejects.toThrow(ConnectionLostError);
    await disk.arrived(1);
    await server.close('restart');
    expect(await connection.closed).toBe('restart');
    await lost;
    await expect(proxy.flush()).rejects.toThrow(ConnectionLostError);
    expect(await published?.withdrawn).toBe('the connection was lost: restart');
    expect(connection.lost.has(proxy)).toBe(true);
  });

  it('is known from a withdrawal even if both arrive together', async () => {
    const { withdraw, server, connect } = await serveDisk(new MemoryDisk());
    const connection = await connect();
    const [published] = connection.services.list();
    withdraw('offline');
    void server.close('stop');
    expect(await published?.withdrawn).toBe('offline');
    await connection.closed;
    expect(connection.lost.size).toBe(0);
  });

  it('by its own user is one too', async () => {
    const { connect } = await serveDisk(new HeldDisk());
    const connection = await connect();
    const read = connection.services.get(BLOCK_DEVICE, 'disk0').read(1, sector());
    connection.close();
    await expect(read).rejects.toThrow(ConnectionLostError);
    expect(await connection.closed).toBe('closed by its user');
  });

  it('is replaced by the same session only after its calls are done', async () => {
    const disk = new HeldDisk();
    const { path, connect } = await serveDisk(disk);
    const first = await connect({ session: 'front' });
    const write = first.services.get(BLOCK_DEVICE, 'disk0').write(1, sector());
    write.catch(() => {});
    await disk.arrived(1);
    let connected = false;
    const second = connect({ session: 'front' }).then((connection) => {
      connected = true;
      return connection;
    });
    expect(await first.closed).toBe('the session front connected again');
    const other = new RawClient(path); // Another session does not wait.
    other.say(HELLO);
    await other.heard(({ type }) => type === 'hello');
    expect(connected).toBe(false);
    disk.held[0]?.done();
    await second;
  });
});

blockDeviceConformance({
  name: 'a disk of another process',
  cannot: { close: 'its end is a lost connection' },
  start: async () => {
    const memory = new MemoryDisk({ trim: true });
    const come = async (disk: BlockDevice) => {
      const served = await serveDisk(disk);
      return { server: served.server, disk: (await served.connect()).services.get(BLOCK_DEVICE, 'disk0') };
    };
    let host = await come(memory);
    return {
      get disk() {
        return host.disk;
      },
      settle: (promise) => promise,
      powerCut: async () => {
        await host.server.close('the power was cut');
        memory.cutPower();
        host = await come(memory);
      },
      readOnlyDisk: async () => (await come(new MemoryDisk({ readOnly: true, trim: true }))).disk,
      stop: async () => {},
    };
  },
});
