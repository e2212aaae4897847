/** Data by bus master: what is chosen, what moves how, and what goes wrong (A20 and the DMA forms of the others). */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, type DriverSetUp, same, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const READ_DMA = 0xc8;
const READ_DMA_EXT = 0x25;
const WRITE_DMA = 0xca;
const WRITE_DMA_EXT = 0x35;
const WRITE_DMA_FUA_EXT = 0x3d;

const attach = (setUp: DriverSetUp = {}) => attachDriver({ byDma: true, ...setUp });
const statistics = (driver: TestDriver) => driver.controller.statistics['ata0 channel 0'];
const words = (driver: TestDriver) => driver.said.join('\n');

describe('DMA', () => {
  it.each(['auto', 'polling'] as const)('moves data in both directions (%s)', async (interrupts) => {
    const driver = await attach({ options: { interrupts } });
    const witness = new Witness(driver.sim, driver.hardware);
    const startUs = driver.sim.clock.nowUs();
    await driver.write(100, blocks(256));
    expect(same(await driver.read(100, 256), blocks(256))).toBe(true);
    await driver.write(10, blocks(1000, 2));
    expect(same(await driver.read(10, 1000), blocks(1000, 2))).toBe(true);
    expect(witness.commands).toEqual([WRITE_DMA, READ_DMA, WRITE_DMA_EXT, READ_DMA_EXT]);
    expect(witness.seen.filter(({ space, offset }) => space === 'command0' && offset === 0)).toEqual([]);
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(20_000);
    expect(statistics(driver)).toMatchObject({ lostInterrupts: 0, spuriousInterrupts: 0, resets: 1 });
    expect(driver.hardware.violations).toEqual([]);
  });

  it('brings no old data where caches are not coherent', async () => {
    const driver = await attach({ memory: { coherent: false } });
    for (const seed of [1, 2, 3]) {
      await driver.write(0, blocks(700, seed));
      expect(same(await driver.read(0, 700), blocks(700, seed))).toBe(true);
      expect(same(await driver.read(300, 100), blocks(700, seed).subarray(300 * 512, 400 * 512))).toBe(true);
    }
    expect(words(driver)).not.toContain('warn: disk0');
  });

  it('has its own command for force unit access', async () => {
    const driver = await attach();
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(8), true);
    expect(witness.commands).toEqual([WRITE_DMA_FUA_EXT]);
    driver.sim.cutPower();
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  });

  it.each([
    [false, 18],
    [true, 22],
  ])('makes few accesses of registers (task file read back: %s)', async (verifyTaskFile, accesses) => {
    const driver = await attach({ options: { verifyTaskFile } });
    await driver.read(0, 1);
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 256);
    expect(witness.seen).toHaveLength(accesses);
  });

  it('is told of in the line of the disk', async () => {
    expect(words(await attach())).toContain('Ultra DMA mode');
    expect(words(await attach({ options: { dma: 'off' } }))).toContain('programmed I/O (the options say so)');
  });

  it.each([1, 128, 256, 2048])('of %i sectors is interrupted once', async (sectors) => {
    const driver = await attach();
    const before = driver.sim.interrupt(0).statistics.events;
    await driver.read(0, sectors);
    expect(driver.sim.interrupt(0).statistics.events - before).toBe(1);
  });
});

describe('two channels', () => {
  const disks = [{ sizeMiB: 1 }, { sizeMiB: 1, channel: 1 as const, timing: { commandUs: 50_000 } }];

  it.each([true, false])('on one interrupt: only the one that it belongs to is touched (by DMA: %s)', async (byDma) => {
    const driver = await attachDriver({
      byDma: true,
      model: { mode: 'native', disks },
      options: { dma: byDma ? 'on' : 'off' },
    });
    const slow = driver.disk('disk2').read(0, new Uint8Array(4 * 512));
    await driver.sim.run(new Promise<void>((resolve) => driver.sim.clock.after(1_000, resolve)));
    const witness = new Witness(driver.sim, driver.hardware);
    for (let round = 0; round < 5; round++) await driver.read(0, 32);
    expect(witness.seen.filter(({ space }) => space === 'command1' || space === 'control1')).toEqual([]);
    await driver.sim.run(slow);
    for (const { lostInterrupts } of Object.values(driver.controller.statistics)) expect(lostInterrupts).toBe(0);
  });

  it('work at the same time, and in turns where only one may be active', async () => {
    for (const simplex of [false, true]) {
      const driver = await attach({
        model: { simplex, disks: [disks[1] ?? {}, { ...disks[1], channel: 0 as const }] },
      });
      const active = { now: 0, most: 0 };
      const { write } = driver.hardware;
      driver.hardware.write = (space, offset, width, value) => {
        if (space === 'busMaster' && (offset & 7) === 0 && (value & 1) === 1)
          active.most = Math.max(active.most, ++active.now);
        else if (space === 'busMaster' && (offset & 7) === 0 && running.delete(offset)) active.now--;
        if (space === 'busMaster' && (offset & 7) === 0 && (value & 1) === 1) running.add(offset);
        write.call(driver.hardware, space, offset, width, value);
      };
      const running = new Set<number>();
      const names = ['disk0', 'disk2', 'disk0', 'disk2'];
      await driver.sim.run(
        Promise.all(names.map((name, seed) => driver.disk(name).write(40 * seed, blocks(30, seed)))),
      );
      for (const [seed, name] of names.entries())
        expect(same(await driver.read(40 * seed, 30, name), blocks(30, seed))).toBe(true);
      expect(active.most).toBe(simplex ? 1 : 2);
    }
  });
});

describe('the memory for DMA', () => {
  it('limits a transfer where there is little', async () => {
    const driver = await attach({ memory: { sizeBytes: 80 * 1024 } });
    const { maxTransferBlocks } = driver.disk().info;
    expect(maxTransferBlocks).toBeGreaterThanOrEqual(128);
    expect(maxTransferBlocks).toBeLessThan(160);
    await driver.write(0, blocks(maxTransferBlocks));
    expect(same(await driver.read(0, maxTransferBlocks), blocks(maxTransferBlocks))).toBe(true);
    expect(words(driver)).toMatch(/bytes of memory for DMA, 1048576 would be used/);
  });

  it('is given up for programmed I/O where there is none', async () => {
    const driver = await attach({ memory: { sizeBytes: 4096 } });
    await driver.write(0, blocks(40));
    expect(same(await driver.read(0, 40), blocks(40))).toBe(true);
    expect(words(driver)).toContain('no DMA: simulated memory: no free piece');
    expect(driver.disk().info.maxTransferBlocks).toBe(2048);
  });

  it('is given back at the end', async () => {
    const driver = await attach();
    expect(driver.sim.machine.systemMemory.pool.usedBytes).toBeGreaterThan(2 ** 20);
    await driver.stop();
    expect(driver.sim.machine.systemMemory.pool.usedBytes).toBe(0);
  });
});

describe('the choice of DMA', () => {
  it('auto: not where firmware left no mode', async () => {
    const driver = await attach({ model: { sizeMiB: 1, dmaModes: 'none' } });
    expect(words(driver)).toContain('programmed I/O (no DMA mode is selected in the disk)');
  });

  it('auto: not where firmware did not say so in the bus master; on: there, too', async () => {
    const stuckBits = { mask: 0x60, value: 0 };
    const faults = { registers: [{ space: 'busMaster', offset: 2, access: 'read' as const, stuckBits }] };
    const auto = await attach({ faults });
    expect(words(auto)).toContain('firmware did not prepare the bus master');
    const on = await attach({ faults, options: { dma: 'on' } });
    const witness = new Witness(on.sim, on.hardware);
    await on.read(0, 8);
    expect(witness.commands).toEqual([READ_DMA]);
  });

  it('keeps what firmware wrote, and touches nothing else', async () => {
    const driver = await attach({ options: { writeCache: 'keep' } });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(8));
    await driver.read(0, 8);
    for (const { value } of witness.of('write', 'busMaster', 2)) expect(value & 0x60).toBe(0x20);
    expect(witness.seen.filter(({ space, offset }) => space === 'busMaster' && offset >= 8)).toEqual([]);
  });

  it('a bus master that does not keep an address is not used', async () => {
    const stuckBits = { mask: 0x1000_0000, value: 0 };
    const faults = { registers: [{ space: 'busMaster', offset: 4, access: 'write' as const, stuckBits }] };
    const driver = await attach({ faults });
    await driver.write(0, blocks(8));
    expect(await driver.read(0, 8)).toEqual(blocks(8));
    expect(words(driver)).toContain('does not keep the address of its table');
    expect(driver.sim.machine.systemMemory.pool.usedBytes).toBe(0);
  });

  it('a bus master where nothing answers is none', async () => {
    const faults = { registers: [{ space: 'busMaster', access: 'read' as const, value: 0xff }] };
    const driver = await attach({ faults });
    await driver.write(0, blocks(8));
    expect(await driver.read(0, 8)).toEqual(blocks(8));
    expect(words(driver)).toContain('programmed I/O (no bus master');
  });
});

it('a mode that the disk lost with a reset is set again, in the disk only', async () => {
  const driver = await attach({ model: broken({ on: [READ_DMA], hangUs: 'forever' }) });
  const device = driver.hardware.disk();
  const witness = new Witness(driver.sim, driver.hardware);
  driver.sim.clock.after(30_000_000, () => {
    if (device !== undefined) Object.assign(device.settings, { dmaMode: undefined });
  });
  expect(same(await driver.read(0, 8), new Uint8Array(8 * 512))).toBe(true);
  expect(words(driver)).not.toContain('programmed I/O');
  expect(witness.of('write', 'command0', 2).map(({ value }) => value)).toContain(0x45);
});
