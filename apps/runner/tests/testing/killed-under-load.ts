import { BlockTraffic, pick, type Random, seededRandom, WriteOracle } from '@ring3/core/testing';
import { expect } from 'vitest';
import { connectDisk } from './nbd-connection.ts';
import { childrenOf, type ServingRunner } from './runner-process.ts';

/** The size of the disk. */
export const BLOCKS = 4096;

/** Kills the only device host of a runner again and again under the load of one client, who reads everything at the end. */
export async function killUnderLoad(runner: ServingRunner, kills: number): Promise<void> {
  const { disk } = await connectDisk(runner.socket);
  const traffic = new BlockTraffic(disk, new WriteOracle({ blockSizeBytes: 512 }));
  const random = seededRandom(1);
  for (let kill = 0; kill < kills; kill++) {
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
}

function issue(traffic: BlockTraffic, random: Random): void {
  const count = 1 + pick(random, 16);
  const block = pick(random, BLOCKS - count);
  const kind = pick(random, 10);
  if (kind < 5) traffic.write(block, count, kind === 0);
  else if (kind < 9) void traffic.read(block, count);
  else traffic.flush();
}
