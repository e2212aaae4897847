import { execFile } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, expect, it } from 'vitest';
import { rigFile, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const run = promisify(execFile);

beforeEach(
  needsTools({
    nbdinfo: 'libnbd-bin',
    nbdcopy: 'libnbd-bin',
    'qemu-io': 'qemu-utils',
    'mkfs.ext4': 'e2fsprogs',
    e2fsck: 'e2fsprogs',
    debugfs: 'e2fsprogs',
    fio: 'fio',
    cmp: 'diffutils',
  }),
);

interface ServeOptions {
  readonly sizeMiB: number;
  readonly isolation?: 'inline' | 'process';
  readonly readOnly?: boolean;
}

async function serve({ sizeMiB, isolation = 'inline', readOnly = false }: ServeOptions) {
  const folder = temporaryFolder();
  const image = join(folder, 'disk.img');
  writeFileSync(image, randomFillSync(Buffer.alloc(2 ** 20)));
  truncateSync(image, sizeMiB * 2 ** 20);
  const runner = await ServingRunner.start(rigFile(folder, { image }, isolation, { readOnly }), folder);
  return { folder, image, runner, path: (name: string) => join(folder, name) };
}

it('nbdinfo shows size, flags and capabilities', async () => {
  const { runner } = await serve({ sizeMiB: 16 });
  const info = JSON.parse((await run('nbdinfo', ['--json', runner.uri])).stdout);
  expect(info.protocol).toBe('newstyle-fixed');
  expect(info.exports[0]).toMatchObject({
    'export-name': 'disk',
    'export-size': 16 * 2 ** 20,
    is_read_only: false,
    can_flush: true,
    can_fua: true,
    can_trim: true,
    can_multi_conn: true,
  });
  expect(await runner.stop()).toBe(0);
});

it('a read-only export says so and refuses writes', async () => {
  const { runner } = await serve({ sizeMiB: 2, readOnly: true });
  const info = JSON.parse((await run('nbdinfo', ['--json', runner.uri])).stdout);
  expect(info.exports[0].is_read_only).toBe(true);
  await expect(run('qemu-io', ['-f', 'raw', '-c', 'write 0 512', runner.uri])).rejects.toThrow();
});

it('an ext4 file system goes up and comes down whole', async () => {
  const { path, image, runner } = await serve({ sizeMiB: 32 });
  mkdirSync(path('tree'));
  writeFileSync(path('tree/random.bin'), randomFillSync(Buffer.alloc(3_000_001)));
  await run('mkfs.ext4', ['-q', '-d', path('tree'), path('ext4.img'), '32M']);
  await run('nbdcopy', ['--flush', path('ext4.img'), runner.uri]);
  await run('nbdcopy', [runner.uri, path('down.img')]);
  await run('cmp', [path('ext4.img'), path('down.img')]);
  await run('e2fsck', ['-fn', path('down.img')]);
  await run('debugfs', ['-R', `dump /random.bin ${path('file')}`, path('down.img')]);
  expect(readFileSync(path('file')).equals(readFileSync(path('tree/random.bin')))).toBe(true);
  expect(await runner.stop()).toBe(0);
  await run('cmp', [path('ext4.img'), image]);
});

it('qemu-io reads the patterns that it wrote, aligned and not', async () => {
  const { runner } = await serve({ sizeMiB: 16 });
  const commands = [
    'write -P 0x5a 1M 64k',
    'write -P 0xa5 1025k 3k',
    'read -P 0x5a 1M 1k',
    'read -P 0xa5 1025k 3k',
    'write -P 7 12345 777',
    'read -P 7 12345 777',
    'write -f -P 9 4M 4k',
    'flush',
    'read -P 9 4M 4k',
  ];
  const { stdout } = await run('qemu-io', ['-f', 'raw', ...commands.flatMap((command) => ['-c', command]), runner.uri]);
  expect(stdout).not.toMatch(/fail|error/i);
});

for (const isolation of ['inline', 'process'] as const) {
  it(`256 MiB of random data go in and out, ${isolation}`, async () => {
    const { path, runner } = await serve({ sizeMiB: 256, isolation });
    const random = Buffer.alloc(256 * 2 ** 20);
    writeFileSync(path('random'), randomFillSync(random));
    await run('nbdcopy', ['--flush', path('random'), runner.uri]);
    await run('nbdcopy', [runner.uri, path('back')]);
    await run('cmp', [path('random'), path('back')]);
  });
}

it('four clients write disjoint ranges at once', async () => {
  const { path, image, runner } = await serve({ sizeMiB: 64 });
  const quarter = 16 * 2 ** 20;
  const parts = [1, 2, 3, 4].map((pattern, index) => ({ pattern, offset: index * quarter }));
  await Promise.all(
    parts.map(({ pattern, offset }) => {
      const writes = Array.from({ length: 16 }, (_, mib) => [
        '-c',
        `write -P ${pattern} ${offset + mib * 2 ** 20} 1M`,
      ]).flat();
      return run('qemu-io', ['-f', 'raw', ...writes, '-c', 'flush', runner.uri]);
    }),
  );
  await run('nbdcopy', [runner.uri, path('back')]);
  const back = readFileSync(path('back'));
  for (const { pattern, offset } of parts) {
    expect(back.subarray(offset, offset + quarter).equals(Buffer.alloc(quarter, pattern))).toBe(true);
  }
  expect(await runner.stop()).toBe(0);
  await run('cmp', [path('back'), image]);
});

it('fio verifies for 30 seconds without an error', async () => {
  const { runner, folder } = await serve({ sizeMiB: 64 });
  const { stdout } = await run(
    'fio',
    [
      '--name=verify',
      '--ioengine=nbd',
      `--uri=${runner.uri}`,
      '--rw=randrw',
      '--bsrange=512-128k',
      '--blockalign=512',
      '--iodepth=16',
      '--verify=crc32c',
      '--verify_backlog=1024',
      '--time_based',
      '--runtime=30',
      '--size=64m',
      '--output-format=json',
    ],
    { cwd: folder },
  ); // fio leaves a state file where it runs.
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')));
  expect(report.jobs[0].error).toBe(0);
  expect(report.jobs[0].read.total_ios).toBeGreaterThan(1000);
}, 120_000);
