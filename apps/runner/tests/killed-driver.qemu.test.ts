import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockTraffic, needsTools, pick, type Random, seededRandom, WriteOracle } from '@ring3/core/testing';
import { beforeEach, expect, it } from 'vitest';
import { connectDisk } from './testing/nbd-connection.ts';
import { childrenOf, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

const KILLS = Number(process.env['RING3_KILLS'] ?? 10);
const BLOCKS = 4096;

/** A disk of QEMU, exported as `disk`. */
function rigFile(folder: string): string {
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, BLOCKS * 512);
  const backend = {
    type: 'qemu',
    machine: 'pc',
    devices: ['ide-hd,drive=d0,bus=ide.0'],
    drives: [{ id: 'd0', file: 'disk.img' }],
    select: 'ide',
  };
  const config = {
    version: 1,
    name: 'test',
    isolation: 'process',
    runtimeDirectory: folder,
    devices: { ata0: { driver: 'ata-sff', backend } },
    exports: [{ type: 'nbd', service: 'ata0/disk0', name: 'disk', socket: join(folder, 'nbd.sock') }],
  };
  const file = join(folder, 'rig.yaml');
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML.
  return file;
}

it(
  `a disk of QEMU outlives its driver, which is killed ${KILLS} times under load`,
  async () => {
    const folder = temporaryFolder();
    const runner = await ServingRunner.start(rigFile(folder), folder);
    const qemus = childrenOf(runner, '-qtest');
    expect(qemus).toHaveLength(1);
    const { disk } = await connectDisk(runner.socket);
    const oracle = new WriteOracle({ blockSizeBytes: 512 });
    const traffic = new BlockTraffic(disk, oracle);
    const random = seededRandom(1);
    for (let kill = 0; kill < KILLS; kill++) {
      const host = childrenOf(runner, 'device-host')[0] ?? expect.fail('no device host runs');
      const restarted = runner.lineWith('it is started again');
      for (let request = 0; request < 40; request++) issue(traffic, random);
      await traffic.read(pick(random, BLOCKS), 1);
      process.kill(host, 'SIGKILL');
      for (let request = 0; request < 20; request++) issue(traffic, random);
      await restarted;
      await traffic.ended();
    }
    for (let block = 0; block < BLOCKS; block += 64) void traffic.read(block, 64);
    traffic.flush();
    await traffic.ended();
    expect(childrenOf(runner, '-qtest'), 'the same QEMU').toEqual(qemus);
    expect(runner.log.filter((line) => line.includes('was made quiet'))).toHaveLength(KILLS);
    await disk.close();
    expect(await runner.stop()).toBe(0);
  },
  60_000 + KILLS * 6_000,
);

function issue(traffic: BlockTraffic, random: Random): void {
  const count = 1 + pick(random, 16);
  const block = pick(random, BLOCKS - count);
  const kind = pick(random, 10);
  if (kind < 5) traffic.write(block, count, kind === 0);
  else if (kind < 9) void traffic.read(block, count);
  else traffic.flush();
}
