import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simulate } from '@ring3/backend-sim';
import { BLOCK_DEVICE, type BlockDevice, Scope, ServiceDirectory, SILENT, sleep } from '@ring3/core';
import { BlockTraffic, BrokenLaw, pick, type Random, seededRandom, WriteOracle } from '@ring3/core/testing';
import ataSff, { ataOptions } from '@ring3/driver-ata-sff';
import model from '@ring3/driver-ata-sff/model';
import { expect, it } from 'vitest';
import { temporaryFolder } from './testing/runner-process.ts';

const BLOCKS = 2048;

/** Powers the simulated controller with the disk `image` up and attaches the driver. */
async function powerUp(image: string, survivors: number, seed: number) {
  const options = await model.options['~standard'].validate({ disks: [{ image, powerCut: { survivors, seed } }] });
  if (options.issues !== undefined) throw new Error(JSON.stringify(options.issues));
  const simulation = await simulate(model, options.value, { resolvePath: (path) => path });
  const services = new ServiceDirectory();
  const scope = new Scope('ata0');
  const { clock } = simulation;
  const handles = {
    command0: simulation.ports('command0'),
    control0: simulation.ports('control0'),
    irq0: simulation.interrupt(0),
    command1: undefined,
    control1: undefined,
    irq1: undefined,
    busMaster: undefined,
    dma: undefined,
  };
  const environment = { name: 'ata0', clock, log: SILENT, services, simulated: true };
  await simulation.run(Promise.resolve(ataSff.attach({ ...handles, ...environment }, ataOptions.parse({}), scope)));
  return { simulation, scope, disk: services.get(BLOCK_DEVICE, 'disk0') };
}

/** Writes at random until the power goes at a random moment; then looks at what is left. */
async function cutPowerAt(
  moment: number,
  image: string,
  oracle: WriteOracle,
  harm: (disk: BlockDevice) => BlockDevice,
) {
  const random = seededRandom(moment);
  const { simulation, scope, disk } = await powerUp(image, (moment % 3) / 2, moment);
  const traffic = new BlockTraffic(harm(disk), oracle);
  const power = { on: true };
  const load = keepWriting(traffic, random, power);
  await simulation.run(sleep(simulation.clock, 50 + pick(random, 4000)));
  power.on = false;
  simulation.cutPower();
  oracle.powerLost();
  await simulation.run(load);
  await simulation.run(traffic.endedByPowerCut());
  await simulation.run(scope.close()).catch(() => {});
  await simulation.close();
  await inspect(image, oracle);
}

/** Several writes at a time; flushes now and then, some of them when all writes before were acknowledged. */
async function keepWriting(traffic: BlockTraffic, random: Random, power: { readonly on: boolean }): Promise<void> {
  while (power.on) {
    for (let write = pick(random, 4); write >= 0; write--) {
      const count = 1 + pick(random, 32);
      traffic.write(pick(random, BLOCKS - count), count, pick(random, 8) === 0);
    }
    if (pick(random, 2) === 0) traffic.flush();
    await traffic.read(pick(random, BLOCKS), 1);
  }
}

async function inspect(image: string, oracle: WriteOracle): Promise<void> {
  const { simulation, scope, disk } = await powerUp(image, 0, 1);
  const data = new Uint8Array(256 * 512);
  try {
    for (let block = 0; block < BLOCKS; block += 256) {
      const read = oracle.read(block);
      await simulation.run(disk.read(block, data));
      read.returned(data);
    }
  } finally {
    await simulation.run(scope.close());
    await simulation.close();
  }
}

function emptyImage(): string {
  const image = join(temporaryFolder(), 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, BLOCKS * 512);
  return image;
}

it('keeps what was flushed over 100 losses of power at random moments', async () => {
  const image = emptyImage();
  const oracle = new WriteOracle({ blockSizeBytes: 512 });
  for (let moment = 1; moment <= 100; moment++) await cutPowerAt(moment, image, oracle, (disk) => disk);
}, 60_000);

it('is caught when flush does nothing', async () => {
  const image = emptyImage();
  const oracle = new WriteOracle({ blockSizeBytes: 512 });
  const forgetful = (disk: BlockDevice): BlockDevice => ({
    info: disk.info,
    read: (block, into) => disk.read(block, into),
    write: (block, from, options) => disk.write(block, from, options),
    flush: async () => {},
  });
  const cuts = async () => {
    for (let moment = 1; moment <= 100; moment++) await cutPowerAt(moment, image, oracle, forgetful);
  };
  await expect(cuts()).rejects.toThrow(BrokenLaw);
}, 60_000);
