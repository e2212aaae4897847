import { type BlockDeviceFixture, blockDeviceConformance } from '@ring3/core/testing';
import { MemoryStore } from './model/index.ts';
import { attachDriver, type DriverSetUp } from './test-driver.ts';

const SECTORS = 8192;

/** A disk whose store outlives power cuts; each cut attaches a new driver to a new controller. */
async function start(setUp: DriverSetUp): Promise<BlockDeviceFixture> {
  const stores = [new MemoryStore(SECTORS), new MemoryStore(SECTORS)];
  const boot = () => attachDriver({ ...setUp, stores });
  let driver = await boot();
  let disk = driver.disk();
  return {
    get disk() {
      return disk;
    },
    settle: (promise) => driver.sim.run(promise),
    powerCut: async () => {
      driver.sim.cutPower();
      await driver.stop();
      driver = await boot();
      disk = driver.disk();
    },
    readOnlyDisk: async () => {
      driver = await attachDriver({ ...setUp, options: { ...setUp.options, readOnly: true } });
      return driver.disk();
    },
    close: () => driver.stop(),
    stop: () => driver.stop(),
  };
}

const disk = { sectors: SECTORS };
const kinds: readonly [string, DriverSetUp][] = [
  ['by interrupt', { model: { disks: [disk] } }],
  ['by polling, sector by sector', { model: { disks: [disk] }, options: { interrupts: 'polling', multiple: false } }],
  ['native mode, 28 bits, no FUA', { model: { mode: 'native', disks: [{ ...disk, lba48: false, fua: false }] } }],
  ['no control block, two disks', { model: { disks: [disk, { ...disk, position: 'slave' }] }, without: ['control0'] }],
  ['write cache off', { model: { disks: [disk] }, options: { writeCache: 'off' } }],
];

const cannot = { trim: 'these disks know no DATA SET MANAGEMENT' };

for (const [name, setUp] of kinds) {
  blockDeviceConformance({ name: `ata-sff, ${name}`, cannot, start: () => start(setUp) });
}
