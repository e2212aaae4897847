import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, expect, it } from 'vitest';
import { BLOCKS, killUnderLoad } from './testing/killed-under-load.ts';
import { childrenOf, ServingRunner, temporaryFolder } from './testing/runner-process.ts';

beforeEach(needsTools({ 'qemu-system-x86_64': 'qemu-system-x86', setpriv: 'util-linux' }));

const KILLS = Number(process.env['RING3_KILLS'] ?? 10);

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
    await killUnderLoad(runner, KILLS);
    expect(childrenOf(runner, '-qtest'), 'the same QEMU').toEqual(qemus);
    expect(runner.log.filter((line) => line.includes('was made quiet'))).toHaveLength(KILLS);
    expect(await runner.stop()).toBe(0);
  },
  60_000 + KILLS * 6_000,
);
