import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { DeviceError } from '@ring3/core';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { NbdServer } from './nbd-server.ts';
import { runTool, runWell } from './testing/run-tool.ts';
import { qemuIo, serveTools } from './testing/serve-tools.ts';
import { TestDisk } from './testing/test-disk.ts';

const MIB = 2 ** 20;

describe('nbdinfo', () => {
  beforeEach(needsTools({ nbdinfo: 'libnbd-bin' }));

  test('sees size, name, description, flags and block sizes', async () => {
    const { uri } = await serveTools(new TestDisk({ simulated: true, trim: true }));
    const info: unknown = JSON.parse(await runWell('nbdinfo', '--json', uri));
    expect(info).toMatchObject({
      protocol: 'newstyle-fixed',
      TLS: false,
      structured: true,
      exports: [
        {
          'export-name': 'disk0',
          description: 'test disk T1 (simulated)',
          'export-size': MIB,
          is_rotational: false,
          is_read_only: false,
          can_cache: true,
          can_df: true,
          can_fast_zero: true,
          can_flush: true,
          can_fua: true,
          can_multi_conn: true,
          can_trim: true,
          can_zero: true,
          block_size_minimum: 1,
          block_size_preferred: 4096,
          block_size_maximum: 32 * MIB,
        },
      ],
    });
  });

  test('lists the exports, and finds a read-only one by its name, over TCP', async () => {
    const server = await NbdServer.listen({ host: '127.0.0.1', port: 0 });
    onTestFinished(() => server.close({ deadlineMs: 0 }));
    server.export('disk0', new TestDisk());
    const second = server.export('a/b c', new TestDisk({ blockCount: 5 }), { readOnly: true });
    const list = JSON.parse(await runWell('nbdinfo', '--list', '--json', server.uri())) as { exports: object[] };
    expect(list.exports).toMatchObject([{ 'export-name': 'disk0' }, { 'export-name': 'a/b c' }]);
    expect(await runWell('nbdinfo', '--size', second.uri)).toBe('2560\n');
    expect(await runWell('nbdinfo', '--is', 'readonly', second.uri)).toBe('');
  });

  test('is told that there is no such export', async () => {
    const { server } = await serveTools();
    const { exitCode, stderr } = await runTool('nbdinfo', [server.uri('nothing')]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/No such file or directory|no export/);
  });
});

describe('nbdcopy', () => {
  beforeEach(needsTools({ nbdcopy: 'libnbd-bin' }));

  test('brings 64 MiB in and out unchanged', async () => {
    const { uri, disk, file } = await serveTools();
    const data = randomBytes(64 * MIB);
    writeFileSync(file('in'), data);
    await runWell('nbdcopy', '--flush', file('in'), uri);
    expect(disk.content.equals(data)).toBe(true);
    expect(disk.calls.at(-1)?.kind).toBe('flush');
    await runWell('nbdcopy', '--request-size=33554432', uri, file('out'));
    expect(readFileSync(file('out')).equals(data)).toBe(true);
  });

  test('over four connections, with holes as zeros: what was there before is gone', async () => {
    const { uri, disk, exported, server, file } = await serveTools();
    const four = ['--connections=4', '--threads=4'];
    const data = randomBytes(64 * MIB).fill(0, 10 * MIB, 40 * MIB);
    writeFileSync(file('in'), data);
    disk.fill();
    await runWell('nbdcopy', ...four, '--flush', file('in'), uri);
    expect(disk.content.equals(data)).toBe(true);
    expect(exported.statistics).toMatchObject({ zeroes: expect.any(Number), errors: 0 });
    expect(exported.statistics.bytesZeroed).toBeGreaterThan(29 * MIB);
    expect(server.statistics.clients.total).toBeGreaterThanOrEqual(4);
    const before = server.statistics.clients.total;
    await runWell('nbdcopy', ...four, uri, file('out'));
    expect(readFileSync(file('out')).equals(data)).toBe(true);
    expect(server.statistics.clients.total - before).toBeGreaterThanOrEqual(4);
  });

  test('brings in a file that is not whole blocks', async () => {
    const { uri, disk, file } = await serveTools();
    const data = randomBytes(3 * MIB + 333);
    writeFileSync(file('in'), data);
    await runWell('nbdcopy', file('in'), uri);
    expect(disk.content.subarray(0, data.length).equals(data)).toBe(true);
    expect(disk.content.subarray(data.length).every((byte) => byte === 0)).toBe(true);
  });

  test('fails in words when the export is withdrawn in the middle', async () => {
    const { uri, disk, exported, file } = await serveTools();
    let withdrawn: Promise<void> | undefined;
    disk.before = ({ block }) => {
      if (block > 60_000) withdrawn ??= exported.withdraw('the disk was changed');
    };
    const { exitCode, stderr } = await runTool('nbdcopy', [uri, file('out')]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/shutdown|shut down|disconnect|Transport endpoint|end of file/i);
    await withdrawn;
  });
});

describe('qemu', () => {
  beforeEach(needsTools({ 'qemu-io': 'qemu-utils', 'qemu-img': 'qemu-utils' }));

  test('qemu-io finds the patterns that it wrote, whole blocks or not', async () => {
    const { uri, disk } = await serveTools();
    await qemuIo(
      uri,
      'write -P 1 0 1M',
      'write -P 2 1000 3000',
      'write -f -P 3 2M 64k',
      'aio_write -P 4 3M 1M',
      'aio_write -P 5 4M 1M',
      'aio_flush',
      'flush',
      'read -P 1 0 1000',
      'read -P 2 1000 3000',
      'read -P 1 4000 1M -l 512',
      'read -P 3 2M 64k',
      'read -P 4 3M 1M',
      'read -P 5 4M 1M',
    ).catch((error: Error) => expect.fail(error.message));
    expect(disk.calls.some(({ fua }) => fua)).toBe(true);
    expect(disk.calls.some(({ kind }) => kind === 'flush')).toBe(true);
  });

  test('qemu-io sees a wrong pattern, so the test above means something', async () => {
    const { uri } = await serveTools();
    const { exitCode, stdout } = await runTool('qemu-io', ['-f', 'raw', '-c', 'read -P 1 0 512', uri]);
    expect([exitCode, stdout.includes('Pattern verification failed')]).toEqual([1, true]);
  });

  test('qemu-io writes zeros and discards, whole blocks or not', async () => {
    const disk = new TestDisk({ blockCount: 131_072, trim: true });
    const { uri, exported } = await serveTools(disk);
    await qemuIo(
      uri,
      'write -P 1 0 48M',
      'write -z 1000 3000',
      'write -z 8M 30M',
      'write -z -u 40M 64k',
      'discard 44M 1M',
      'discard 46000100 1000',
      'read -P 1 0 1000',
      'read -P 0 1000 3000',
      'read -P 1 4000 4k',
      'read -P 0 8M 30M',
      'read -P 1 38M 2M',
      'read -P 0 40M 64k',
      'read -P 1 43M 512k',
      'read -P 85 44M 1M', // What this disk makes of a trim.
      'read -P 1 45999600 528',
      'read -P 85 46000128 512',
      'read -P 1 46000640 500',
      'flush',
    );
    expect(exported.statistics.zeroes).toBeGreaterThanOrEqual(3);
    expect(exported.statistics.trims).toBeGreaterThanOrEqual(1);
    expect(exported.statistics.errors).toBe(0);
    expect(disk.calls.filter(({ kind }) => kind === 'trim').length).toBeGreaterThan(0);
  });

  test('four qemu-io at once write beside each other', async () => {
    const { uri } = await serveTools();
    const numbers = [1, 2, 3, 4];
    const pieces = Array.from({ length: 40 }, (_, piece) => piece);
    await Promise.all(
      numbers.map((number) =>
        qemuIo(uri, ...pieces.map((piece) => `write -P ${number} ${piece * 40_000 + number * 10_000 - 10_000} 10000`)),
      ),
    );
    for (const number of numbers) {
      await qemuIo(
        uri,
        ...pieces.map((piece) => `read -P ${number} ${piece * 40_000 + number * 10_000 - 10_000} 10000`),
      );
    }
  });

  test('a bad block fails what hits it, and nothing else', async () => {
    const { uri, disk } = await serveTools();
    disk.before = ({ kind, block, blocks }) => {
      if (kind !== 'read' || block > 100 || block + blocks <= 100) return;
      throw new DeviceError('media', 'block 100 cannot be read', { details: { block: 100 } });
    };
    const bad = await runTool('qemu-io', ['-f', 'raw', '-c', 'read 50k 4k', uri]);
    expect(bad.stdout + bad.stderr).toContain('Input/output error');
    await qemuIo(uri, 'read -P 0 0 51200', 'read -P 0 51712 64k');
  });

  test('qemu-img converts in and out, and finds both the same', async () => {
    const { uri, disk, file } = await serveTools();
    writeFileSync(file('in'), randomBytes(64 * MIB));
    await runWell('qemu-img', 'convert', '-n', '-f', 'raw', '-O', 'raw', file('in'), uri);
    expect(disk.content.equals(readFileSync(file('in')))).toBe(true);
    await runWell('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', uri, file('out.qcow2'));
    await runWell('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', uri, file('out.qcow2'));
  });

  test('an export of an odd size is whole', async () => {
    const disk = new TestDisk({ blockSizeBytes: 520, blockCount: 1001 }).fill();
    const { uri, file } = await serveTools(disk);
    await runWell('qemu-img', 'convert', '-f', 'raw', '-O', 'raw', uri, file('out'));
    expect(readFileSync(file('out')).subarray(0, disk.content.length).equals(disk.content)).toBe(true);
  });
});
