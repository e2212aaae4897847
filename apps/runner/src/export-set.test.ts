import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLOCK_DEVICE, type BlockDeviceInfo, type Logger, ServiceDirectory } from '@ring3/core';
import { MemoryDisk } from '@ring3/core/testing';
import type { ExporterModule } from '@ring3/rig';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ExportSet } from './export-set.ts';
import nbd from './exporters/nbd.ts';

/** An NBD export of `ata0/disk0`, in a folder that goes away with the test. */
function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-exports-'));
  const errors: string[] = [];
  const log: Logger = { debug() {}, info() {}, warn() {}, error: (message) => void errors.push(message) };
  const changes: string[] = [];
  const options = { host: '127.0.0.1', readOnly: false };
  const wanted = { type: 'nbd', device: 'ata0', service: 'ata0/disk0', module: nbd as ExporterModule, options };
  const exports = new ExportSet([wanted], {
    log,
    runtimeDirectory: folder,
    changed: (service, exported, reason) => changes.push(`${service} ${exported === undefined ? reason : 'served'}`),
  });
  const directory = new ServiceDirectory();
  exports.follow(directory);
  onTestFinished(async () => {
    await exports.close();
    rmSync(folder, { recursive: true });
  });
  const publish = async (info: Partial<BlockDeviceInfo> = {}) => {
    const withdraw = directory.publish(BLOCK_DEVICE, 'ata0/disk0', new MemoryDisk({ serial: 'A1', ...info }));
    await exports.settled();
    return withdraw;
  };
  /** A client in the transmission phase; `ended` resolves when the server has hung up. */
  const connect = async () => {
    const client = createConnection(join(folder, 'nbd.sock'));
    const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
    await new Promise((resolve) => client.once('data', resolve));
    // Client flags, then NBD_OPT_EXPORT_NAME of the default export.
    client.write(
      Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('IHAVEOPT'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])]),
    );
    await new Promise((resolve) => client.once('data', resolve));
    return { ended };
  };
  return { exports, publish, errors, changes, connect };
}

describe('a disk that is withdrawn and comes back', () => {
  test('is served again under its name when it is the same, to clients that connect anew', async () => {
    const { exports, publish, errors, changes, connect } = setUp();
    const withdraw = await publish();
    const client = await connect();
    withdraw('unplugged');
    await client.ended;
    await publish({ maxTransferBlocks: 8, volatileCache: false });
    expect(exports.list()).toHaveLength(1);
    expect(changes).toEqual(['ata0/disk0 served', 'ata0/disk0 unplugged', 'ata0/disk0 served']);
    expect(errors).toEqual([]);
  });

  test.each([{ serial: 'B2' }, { blockCount: 2048 }, { model: 'other' }, { blockSizeBytes: 4096 }])(
    'is not served under the old name when it is another one: %o, until the old one is back',
    async (other) => {
      const { exports, publish, errors } = setUp();
      (await publish())('unplugged');
      const withdraw = await publish(other);
      expect(exports.list()).toEqual([]);
      expect(errors).toEqual([
        expect.stringMatching(/^ata0\/disk0: it was memory disk, serial "A1", 1024 blocks of 512; what came back is /),
      ]);
      withdraw('unplugged');
      await publish();
      expect(exports.list()).toHaveLength(1);
    },
  );
});
