import { type BlockDeviceFixture, blockDeviceConformance } from '@ring3/core/testing';
import { MemoryStore } from './model/index.ts';
import { attachDriver, type DriverSetUp } from './test-driver.ts';

const SECTORS = 8192;
const NOT_COHERENT = { coherent: false };
const SMALL = { dmaBufferKiB: 16 };

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
const pio: readonly [string, DriverSetUp][] = [
  ['by interrupt', { model: { disks: [disk] } }],
  ['by polling, sector by sector', { model: { disks: [disk] }, options: { interrupts: 'polling', multiple: false } }],
  ['native mode, 28 bits, no FUA', { model: { mode: 'native', disks: [{ ...disk, lba48: false, fua: false }] } }],
  ['no control block, two disks', { model: { disks: [disk, { ...disk, position: 'slave' }] }, without: ['control0'] }],
  ['write cache off', { model: { disks: [disk] }, options: { writeCache: 'off' } }],
];
const dma: readonly [string, DriverSetUp][] = [
  ['DMA by interrupt', { model: { disks: [disk] } }],
  ['DMA by polling, native mode', { model: { mode: 'native', disks: [disk] }, options: { interrupts: 'polling' } }],
  ['DMA, caches not coherent, buffer of 16 KiB', { model: { disks: [disk] }, memory: NOT_COHERENT, options: SMALL }],
  ['DMA, no control block', { model: { disks: [disk] }, without: ['control0'] }],
  ['DMA, two disks, both channels in turns', { model: { simplex: true, disks: [disk, { ...disk, channel: 1 }] } }],
];
const dma28: readonly [string, DriverSetUp][] = [
  ['DMA, 28 bits, no FUA', { model: { disks: [{ ...disk, lba48: false, fua: false }] } }],
];

const noTrim = { trim: 'TRIM is a command of DMA and of 48 bits' };
for (const [name, setUp] of pio)
  blockDeviceConformance({ name: `ata-sff, ${name}`, start: () => start(setUp), cannot: noTrim });
for (const [name, setUp] of dma)
  blockDeviceConformance({ name: `ata-sff, ${name}`, start: () => start({ byDma: true, ...setUp }) });
for (const [name, setUp] of dma28)
  blockDeviceConformance({ name: `ata-sff, ${name}`, start: () => start({ byDma: true, ...setUp }), cannot: noTrim });
