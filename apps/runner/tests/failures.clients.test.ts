import { once } from 'node:events';
import { globSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectDisk } from './testing/nbd-connection.ts';
import { childrenOf, failingRig, rigFile, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const THROWN = {
  'throws in its handler': 'thrown in a handler',
  'forgets a rejection': 'rejected, and forgotten',
};

for (const [fault, words] of Object.entries(THROWN)) {
  it(`a driver that ${fault} is brought to rest, and the status says so, inline`, async () => {
    const folder = temporaryFolder();
    const { file, trace } = failingRig(folder, fault, 'inline');
    const runner = await ServingRunner.start(file, folder);
    const { disk } = await connectDisk(runner.socket);
    const ended = runner.ended();
    disk.read(7, new Uint8Array(512)).catch(() => {});
    expect(await ended).toBe(70);
    expect(runner.log.join('\n')).toContain(`a defect in a driver or in ring3: Error: ${words}`);
    expect(readFileSync(trace, 'utf8')).toBe('quiet\n');
    expect(globSync('*.sock', { cwd: folder })).toEqual([]);
  });

  it(`a driver that ${fault} is brought to rest and started again, process`, async () => {
    const folder = temporaryFolder();
    const { file, trace } = failingRig(folder, fault, 'process');
    const runner = await ServingRunner.start(file, folder);
    const { disk } = await connectDisk(runner.socket);
    const reading = disk.read(7, new Uint8Array(512));
    expect(await runner.lineWith('it is started again')).toContain(`dev0: ${words}; it is started again in`);
    await disk.read(0, new Uint8Array(512));
    await reading;
    expect(readFileSync(trace, 'utf8')).toBe('quiet\n');
    expect(await runner.stop()).toBe(0);
  });
}

it('what was acknowledged is on the disk after a stop that came while the driver was away', async () => {
  const folder = temporaryFolder();
  const image = join(folder, 'disk.img');
  writeFileSync(image, Buffer.alloc(2 ** 20));
  const runner = await ServingRunner.start(rigFile(folder, { image }, 'process'), folder);
  const { disk } = await connectDisk(runner.socket);
  await disk.write(7, new Uint8Array(512).fill(0x5a));
  const restarting = runner.lineWith('it is started again');
  for (const child of childrenOf(runner, 'device-host')) process.kill(child, 'SIGKILL');
  await restarting;
  expect(await runner.stop()).toBe(0);
  expect(readFileSync(image)[7 * 512]).toBe(0x5a);
});

it('a driver that does not attach again is tried ever more slowly, until somebody stops it', async () => {
  const folder = temporaryFolder();
  const { file } = failingRig(folder, 'does not attach again', 'process');
  const runner = await ServingRunner.start(file, folder);
  const { disk } = await connectDisk(runner.socket);
  disk.read(7, new Uint8Array(512)).catch(() => {});
  await runner.lineWith('it is started again');
  const pauses: number[] = [];
  for (let failure = 2; failure <= 5; failure++) {
    const line = await runner.lineWith('it is started again');
    expect(line).toContain('did not attach: the device does not answer');
    expect(line).toContain(`failures=${failure}`);
    pauses.push(Number(/again in (\d+) ms/.exec(line)?.[1]));
  }
  expect(pauses).toEqual(pauses.toSorted((left, right) => left - right));
  expect(await runner.stop()).toBe(0);
  expect(globSync('*.{host,sock}', { cwd: folder })).toEqual([]);
});

it('one signal ends a start that hangs in a driver, process', async () => {
  const folder = temporaryFolder();
  const { file } = failingRig(folder, 'never attaches', 'process');
  const runner = await ServingRunner.startUntil('attaching, for ever', file, folder);
  expect(await runner.stop()).toBe(70);
  expect(runner.log.join('\n')).toMatch(/the supervisor said so, and this process did not come to rest within 2000 ms/);
  expect(globSync('*', { cwd: folder })).toEqual(['rig.yaml']);
});

it('a second signal ends a start that hangs in a driver, inline', async () => {
  const folder = temporaryFolder();
  const { file } = failingRig(folder, 'never attaches', 'inline');
  const runner = await ServingRunner.startUntil('attaching, for ever', file, folder);
  runner.process.kill('SIGTERM');
  await runner.lineWith('stop again to leave at once');
  expect(await runner.stop()).toBe(70);
});

it('a driver that never stops has the time that it declares, inline', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(failingRig(folder, 'never stops', 'inline').file, folder);
  expect(await runner.stop()).toBe(70);
  expect(runner.log.join('\n')).toContain('the drivers did not come to rest within 100 ms');
});

it('a driver that loops when it stops is killed, process', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(failingRig(folder, 'loops when it stops', 'process').file, folder);
  expect(await runner.stop()).toBe(70);
  expect(runner.log.join('\n')).toContain('dev0: the device host did not stop in time and is killed');
});

it('a timer that a driver forgot does not keep the runner alive', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(failingRig(folder, 'forgets a timer', 'inline').file, folder);
  expect(await runner.stop()).toBe(0);
});

it('ends its processes when it is killed, and what it left does not block the next start', async () => {
  const folder = temporaryFolder();
  const file = rigFile(folder, { sizeMiB: 1 }, 'process');
  const runner = await ServingRunner.start(file, folder);
  expect(childrenOf(runner)).toHaveLength(2);
  const ends = ['nbd.sock', 'ata0.host'].map((name) => once(createConnection(join(folder, name)).resume(), 'close'));
  await runner.kill();
  await Promise.all(ends);
  const next = await ServingRunner.start(file, folder);
  expect(await next.stop()).toBe(0);
});

it('ends with words and in order when the front dies', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, 'process'), folder);
  const [front] = childrenOf(runner, 'front');
  const ended = runner.ended();
  process.kill(front ?? expect.fail('no front'), 'SIGKILL');
  expect(await ended).toBe(70);
  expect(runner.log.join('\n')).toContain('the front, which holds all clients, killed by SIGKILL');
});

it('stops a rig that a signal reaches while it starts', async () => {
  const folder = temporaryFolder();
  const file = rigFile(folder, { sizeMiB: 1 }, 'process');
  const runner = await ServingRunner.startUntil('channel 0', file, folder);
  expect(await runner.stop()).toBe(0);
  expect(globSync('*', { cwd: folder })).toEqual(['rig.yaml']);
});

it('stops a rig whose device host was just killed, and leaves nothing behind', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, 'process'), folder);
  const [host] = childrenOf(runner, 'device-host');
  process.kill(host ?? expect.fail('no device host'), 'SIGKILL');
  await runner.lineWith('it is started again');
  expect(await runner.stop()).toBe(0);
  expect(globSync('*', { cwd: folder })).toEqual(['rig.yaml']);
});

it('says nothing alarming when a device host is started again, but that it was', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, 'process'), folder);
  const [host] = childrenOf(runner, 'device-host');
  process.kill(host ?? expect.fail('no device host'), 'SIGKILL');
  await runner.lineWith('life 2 of its driver');
  expect(await runner.stop()).toBe(0);
  const alarming = runner.log
    .filter((line) => !/^[\d:.]+ info /.test(line))
    .sort((left, right) => left.slice(13).localeCompare(right.slice(13)));
  expect(alarming).toEqual([
    expect.stringMatching(/ata0: the device host killed by SIGKILL; it is started again in \d+ ms/),
    expect.stringMatching(/ata0\/disk0: its driver is away: /),
  ]);
});

it('stops in order when its terminal is closed', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }), folder);
  const ended = runner.ended();
  runner.process.kill('SIGHUP');
  expect(await ended).toBe(0);
  expect(globSync('*', { cwd: folder })).toEqual(['rig.yaml']);
});

// To share it would make it blocking, and a pipe that nobody reads would stop the runner.
it('shares its stderr and stdout with none of its processes', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, 'process'), folder);
  const outputs = (pid: number | undefined) => [1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const own = outputs(runner.process.pid);
  expect(
    childrenOf(runner)
      .flatMap(outputs)
      .filter((output) => own.includes(output)),
  ).toEqual([]);
  expect(await runner.stop()).toBe(0);
});

it('leaves signals for everybody, as systemd sends them, to the supervisor', async () => {
  const folder = temporaryFolder();
  const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, 'process'), folder);
  for (const child of childrenOf(runner)) process.kill(child, 'SIGTERM');
  expect(await runner.stop()).toBe(0);
});

for (const isolation of ['inline', 'process'] as const) {
  it(`SIGTERM in the middle of writes keeps every write that was acknowledged, ${isolation}`, async () => {
    const folder = temporaryFolder();
    const image = join(folder, 'disk.img');
    writeFileSync(image, new Uint8Array(256 * 4096));
    const runner = await ServingRunner.start(rigFile(folder, { image }, isolation), folder);
    const { disk } = await connectDisk(runner.socket);
    const acknowledged: number[] = [];
    const stopped = { status: undefined as Promise<number | null> | undefined };
    for (let part = 0; part < 256; part++) {
      const written = disk.write(part * 8, new Uint8Array(4096).fill(part % 251 || 1));
      written.then(
        () => {
          acknowledged.push(part);
          stopped.status ??= runner.stop();
        },
        () => {},
      );
      if (part === 0) await written;
    }
    expect(await stopped.status).toBe(0);
    const found = readFileSync(image);
    expect(acknowledged).not.toEqual([]);
    expect(acknowledged.filter((part) => found[part * 4096] !== (part % 251 || 1))).toEqual([]);
  });

  it(`serves on when nobody reads its log any more, ${isolation}`, async () => {
    const folder = temporaryFolder();
    const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, isolation), folder);
    runner.process.stderr?.destroy();
    const before = await connectDisk(runner.socket);
    for (const host of childrenOf(runner, 'device-host')) process.kill(host, 'SIGKILL');
    await before.disk.read(1, new Uint8Array(512));
    await before.client.vanish();
    expect(await runner.stop()).toBe(0);
  });

  it(`says nothing alarming when it stops in order, ${isolation}`, async () => {
    const folder = temporaryFolder();
    const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, isolation), folder);
    const { disk } = await connectDisk(runner.socket);
    await disk.write(0, new Uint8Array(512));
    await runner.stop();
    expect(runner.log.filter((line) => !/^[\d:.]+ info /.test(line))).toEqual([]);
  });
}
