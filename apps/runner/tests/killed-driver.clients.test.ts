import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockTraffic, pick, type Random, seededRandom, WriteOracle } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { connectDisk } from './testing/nbd-connection.ts';
import { childrenOf, rigFile, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const KILLS = Number(process.env['RING3_KILLS'] ?? 50);
const LIMIT_MS = 60_000 + KILLS * 6_000;
const BLOCKS = 4096;

it(
  `clients stay connected while the device host is killed ${KILLS} times under load`,
  async () => {
    const folder = temporaryFolder();
    const image = join(folder, 'disk.img');
    writeFileSync(image, '');
    truncateSync(image, BLOCKS * 512);
    const runner = await ServingRunner.start(rigFile(folder, { image }, 'process'), folder);
    const { disk } = await connectDisk(runner.socket);
    const oracle = new WriteOracle({ blockSizeBytes: 512 });
    const traffic = new BlockTraffic(disk, oracle);
    const random = seededRandom(1);
    for (let kill = 0; kill < KILLS; kill++) {
      const host = childrenOf(runner, 'device-host')[0] ?? expect.fail('no device host runs');
      const restarted = runner.lineWith('it is started again');
      for (let request = 0; request < 40; request++) issue(traffic, random);
      // Some requests are under way, some are not sent yet: the moment is as random as the event loop.
      await traffic.read(pick(random, BLOCKS), 1);
      process.kill(host, 'SIGKILL');
      for (let request = 0; request < 20; request++) issue(traffic, random);
      await restarted;
      await traffic.ended();
    }
    for (let block = 0; block < BLOCKS; block += 64) void traffic.read(block, 64);
    traffic.flush();
    await traffic.ended();
    await disk.close();
    expect(await runner.stop()).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['disk.img', 'rig.yaml']);
  },
  LIMIT_MS,
);

function issue(traffic: BlockTraffic, random: Random): void {
  const count = 1 + pick(random, 16);
  const block = pick(random, BLOCKS - count);
  const kind = pick(random, 10);
  if (kind < 5) traffic.write(block, count, kind === 0);
  else if (kind < 9) void traffic.read(block, count);
  else traffic.flush();
}
