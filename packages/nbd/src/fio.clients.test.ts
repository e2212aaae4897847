import { needsTools } from '@ring3/core/testing';
import { beforeEach, expect, test } from 'vitest';
import { runTool } from './testing/run-tool.ts';
import { serveTools } from './testing/serve-tools.ts';
import { TestDisk } from './testing/test-disk.ts';

/** How long fio works; the campaign takes two minutes. */
const SECONDS = Number(process.env['RING3_FIO_SECONDS'] ?? 20);

interface Job {
  readonly jobname: string;
  readonly error: number;
  readonly read: { readonly total_ios: number };
  readonly write: { readonly total_ios: number };
}

beforeEach(needsTools({ fio: 'fio' }));

test('four jobs of fio find what they wrote, in mixed sizes, over a connection each', {
  timeout: (SECONDS + 120) * 1000,
}, async () => {
  const disk = new TestDisk({ blockCount: 131_072, maxTransferBlocks: 256 });
  disk.before = () => {
    if (disk.calls.length > 10_000) disk.calls.length = 0; // Nobody asks for them, and two minutes are long.
  };
  const { uri, exported, server } = await serveTools(disk);
  const work = ['--rw=randrw', '--bsrange=512-256k', '--iodepth=16', '--fsync=64'];
  const place = ['--numjobs=4', '--size=16M', '--offset_increment=16M'];
  const check = ['--verify=crc32c', '--verify_fatal=1', '--verify_backlog=128', '--verify_state_save=0'];
  const time = ['--time_based', `--runtime=${SECONDS}`];
  const args = ['--name=verify', '--ioengine=nbd', `--uri=${uri}`, ...work, ...place, ...check, ...time];
  const { exitCode, stdout, stderr } = await runTool('fio', [...args, '--output-format=json'], (SECONDS + 90) * 1000);
  expect(exitCode, stdout + stderr).toBe(0);
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: readonly Job[] };
  expect(jobs.map(({ error }) => error)).toEqual([0, 0, 0, 0]);
  expect(Math.min(...jobs.map(({ write }) => write.total_ios))).toBeGreaterThan(100);
  expect(Math.min(...jobs.map(({ read }) => read.total_ios))).toBeGreaterThan(100);
  expect(exported.statistics.errors).toBe(0);
  expect(server.statistics.clients.total).toBeGreaterThanOrEqual(4);
});
