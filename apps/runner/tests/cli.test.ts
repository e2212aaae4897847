import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rigFile, ring3, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const DEMO = join(import.meta.dirname, '..', '..', '..', 'rigs', 'demo.yaml');

/** Writes a configuration with a disk in memory, changed by `change`. */
function broken(change: (text: string) => string): string {
  const file = join(temporaryFolder(), 'rig.yaml');
  const text = readFileSync(DEMO, 'utf8').replace(/image: .*/, 'sizeMiB: 1');
  writeFileSync(file, change(text));
  return file;
}

it('check finds nothing wrong with the rigs of this repository', async () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  // Those of QEMU need it: rigs.qemu.test.ts.
  const rigs = globSync('rigs/*.yaml', { cwd: root, exclude: ['rigs/qemu-*.yaml'] }).sort();
  const { status, stdout } = await ring3('check', ...rigs.map((rig) => join(root, rig)));
  expect(stdout.split('\n').filter((line) => line.includes(': good: '))).toHaveLength(rigs.length);
  expect(stdout).toContain('demo.yaml: good: 1 device(s), 1 export(s)');
  expect(status).toBe(0);
});

it('check prints every problem with its place, and ends with status 78', async () => {
  const file = broken((text) =>
    text.replace('driver: ata-sff', 'driver: ata-fss').replace('sizeMiB', 'sizeMB').replace('type: nbd', 'type: ndb'),
  );
  const { status, stdout } = await ring3('check', file);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/rig\.yaml:8:5: devices\.ata0\.driver: no driver "ata-fss"; did you mean "ata-sff"\?/);
  expect(lines.at(-1)).toMatch(/rig\.yaml:15:\d+: exports\[0\]\.type: no exporter "ndb"; did you mean "nbd"\?/);
  expect(status).toBe(78);
});

it('run says what is wrong with a configuration and touches nothing', async () => {
  const { status, stderr } = await ring3(
    'run',
    broken((text) => text.replace('version: 1', 'version: 2')),
  );
  expect(stderr).toMatch(/rig\.yaml:3:1: version: /);
  expect(status).toBe(78);
});

it('run says that a file is missing', async () => {
  const { status, stderr } = await ring3('run', '/nowhere/rig.yaml');
  expect(stderr).toContain('/nowhere/rig.yaml');
  expect(status).toBe(78);
});

it('a mistyped command gets a suggestion and status 64', async () => {
  const { status, stderr } = await ring3('chekc', 'x.yaml');
  expect(stderr).toContain('Did you mean check?');
  expect(status).toBe(64);
});

it('schema prints a JSON Schema that knows the installed driver', async () => {
  const { status, stdout } = await ring3('schema');
  expect(JSON.parse(stdout).$schema).toContain('draft-07');
  expect(stdout).toContain('ata-sff');
  expect(status).toBe(0);
});

it('devices shows where the devices of a configuration are', async () => {
  const { stdout } = await ring3(
    'devices',
    '--json',
    broken((text) => text),
  );
  expect(JSON.parse(stdout)).toMatchObject([
    {
      name: 'ata0',
      backend: 'sim',
      simulated: true,
      drivers: ['ata-sff'],
      where: expect.stringContaining('0x1f0-0x1f7'),
    },
  ]);
});

it('a device host started by hand says who starts it', async () => {
  const { status, stderr } = await ring3('device-host', 'ata0');
  expect(stderr).toContain('is started by `ring3 run`');
  expect(status).toBe(64);
});

for (const isolation of ['inline', 'process'] as const) {
  it(`a socket in use is named, and the status says busy, ${isolation}`, async () => {
    const folder = temporaryFolder();
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(join(folder, 'nbd.sock'), resolve));
    const { status, stderr } = await ring3('run', rigFile(folder, { sizeMiB: 1 }, isolation));
    holder.close();
    expect(stderr.split('another server is listening on').length - 1, stderr).toBe(1);
    expect(stderr).toContain(join(folder, 'nbd.sock'));
    expect(status).toBe(75);
  });

  it(`SIGTERM ends a rig with status 0 and leaves nothing behind, ${isolation}`, async () => {
    const folder = temporaryFolder();
    const runner = await ServingRunner.start(rigFile(folder, { sizeMiB: 1 }, isolation), folder);
    expect(await runner.stop()).toBe(0);
    expect(globSync('*', { cwd: folder })).toEqual(['rig.yaml']);
  });
}
