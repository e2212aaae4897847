import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BLOCKS, killUnderLoad } from './testing/killed-under-load.ts';
import { rigFile, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

const KILLS = Number(process.env['RING3_KILLS'] ?? 50);
const LIMIT_MS = 60_000 + KILLS * 6_000;

it(
  `clients stay connected while the device host is killed ${KILLS} times under load`,
  async () => {
    const folder = temporaryFolder();
    const image = join(folder, 'disk.img');
    writeFileSync(image, '');
    truncateSync(image, BLOCKS * 512);
    const runner = await ServingRunner.start(rigFile(folder, { image }, 'process'), folder);
    await killUnderLoad(runner, KILLS);
    expect(await runner.stop()).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['disk.img', 'rig.yaml']);
  },
  LIMIT_MS,
);
