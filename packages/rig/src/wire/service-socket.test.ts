import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BLOCK_DEVICE, type BlockDevice, DeviceError, ServiceDirectory, SILENT, serviceClass } from '@ring3/core';
import { blockDeviceConformance, ManualClock, MemoryDisk } from '@ring3/core/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectServices } from './connect-services.ts';
import { serveServices } from './serve-services.ts';
import { frameOf, RawClient, serveDisk, socketFolder } from './testing/served.ts';
import { ConnectionLostError } from './wire-error.ts';
import { WIRES } from './wires.ts';

const HELLO = { type: 'hello', version: 1, session: 'test' };

/** A disk that answers when the test says so. */
class HeldDisk implements BlockDevice {
  readonly info = new MemoryDisk().info;
  readonly held: { readonly what: string; readonly data: Uint8Array; done(): void }[] = [];
  #arrived: () => void = () => {};

  read(block: number, into: Uint8Array): Promise<void> {
    return this.#hold(`read ${block}`, into);
  }
  write(block: number, from: Uint8Array): Promise<void> {
    return this.#hold(`write ${block}`, from);
  }
  flush(): Promise<void> {
    return this.#hold('flush', sector());
  }

  /** Resolves when so many requests are there. */
  async arrived(count: number): Promise<void> {
    while (this.held.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  #hold(what: string, data: Uint8Array): Promise<void> {
    const promise = new Promise<void>((done) => {
      this.held.push({ what, data, done });
    });
    this.#arrived();
    return promise;
  }
}

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

describe('the socket of a device host', () => {
  const serve = async (socket: string) => {
    const options = { socket, device: 'd', generation: 1, wires: WIRES, log: SILENT };
    const server = await serveServices(new ServiceDirectory(), options);
    onTestFinished(() => server.close('the test is over'));
    return server;
  };

  it('takes the place of one that a dead process left', async () => {
    const path = join(await socketFolder(), 'host.sock');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
    await expect(connectServices(path, { wires: WIRES, log: SILENT })).rejects.toMatchObject({ code: 'gone' });
    await serve(path);
    await connectServices(path, { wires: WIRES, log: SILENT }).then((connection) => connection.close());
  });

  it('leaves one alone that is alive', async () => {
    const { path } = await serveDisk(new MemoryDisk());
    await expect(serve(path)).rejects.toThrow(
      new DeviceError('busy', `another process serves on ${path}: stop it first`),
    );
    await connectServices(path, { wires: WIRES, log: SILENT }).then((connection) => connection.close());
  });

  it('leaves a file alone that is no socket', async () => {
    const path = join(await socketFolder(), 'host.sock');
    await writeFile(path, 'precious');
    await expect(serve(path)).rejects.toMatchObject({ code: 'busy' });
  });

  it('says what is wrong with a path', async () => {
    const folder = await socketFolder();
    await expect(serve(join(folder, 'no/such.sock'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(serve(join(folder, 'x'.repeat(120)))).rejects.toMatchObject({ code: 'config' });
    const refused = connectServices(join(folder, 'nobody.sock'), { wires: WIRES, log: SILENT });
    await expect(refused).rejects.toMatchObject({ code: 'not-found' });
  });
});

blockDeviceConformance({
  name: 'a disk of another process',
  cannot: { close: 'its end is a lost connection' },
  start: async () => {
    const memory = new MemoryDisk();
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
      readOnlyDisk: async () => (await come(new MemoryDisk({ readOnly: true }))).disk,
      stop: async () => {},
    };
  },
});
