import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlockTraffic, pick, seededRandom, WriteOracle } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { connectDisk } from './testing/nbd-connection.ts';
import { rigFile, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const KILLS = Number(process.env['RING3_KILLS'] ?? 100);
const LIMIT_MS = 60_000 + KILLS * 6_000;
const BLOCKS = 2048;

// The simulated disk keeps unflushed writes in the memory of the process: killing it is a loss of power.
it(
  `keeps what was flushed when the runner is killed ${KILLS} times under load`,
  async () => {
    const folder = temporaryFolder();
    const image = join(folder, 'disk.img');
    writeFileSync(image, '');
    truncateSync(image, BLOCKS * 512);
    const rig = rigFile(folder, { image });
    const oracle = new WriteOracle({ blockSizeBytes: 512 });
    for (let kill = 0; kill < KILLS; kill++) {
      const runner = await ServingRunner.start(rig, folder);
      const { disk } = await connectDisk(runner.socket);
      const traffic = new BlockTraffic(disk, oracle);
      await readAll(traffic);
      const random = seededRandom(kill + 1);
      for (let round = 0; round < 4 + pick(random, 8); round++) {
        for (let write = pick(random, 6); write >= 0; write--) {
          const count = 1 + pick(random, 32);
          traffic.write(pick(random, BLOCKS - count), count, pick(random, 8) === 0);
        }
        if (pick(random, 2) === 0) traffic.flush();
        await traffic.read(pick(random, BLOCKS), 1);
      }
      traffic.flush();
      traffic.write(pick(random, BLOCKS), 1);
      await runner.kill();
      // What was acknowledged may still be on its way through the socket.
      oracle.powerLost({ lateAcknowledgements: 'doubtful' });
      await traffic.endedByPowerCut();
    }
    const last = await ServingRunner.start(rig, folder);
    await readAll(new BlockTraffic((await connectDisk(last.socket)).disk, oracle));
    expect(await last.stop()).toBe(0);
  },
  LIMIT_MS,
);

async function readAll(traffic: BlockTraffic): Promise<void> {
  for (let block = 0; block < BLOCKS; block += 256) void traffic.read(block, 256);
  await traffic.ended();
}
