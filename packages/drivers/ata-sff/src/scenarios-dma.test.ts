/** Data by bus master: what is chosen, what moves how, and what goes wrong (A20 and the DMA forms of the others). */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, type DriverSetUp, same, type TestDriver } from './test-driver.ts';
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
  });

  it('has its own command for force unit access', async () => {
    const driver = await attach();
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(8), true);
    expect(witness.commands).toEqual([WRITE_DMA_FUA_EXT]);
    driver.sim.cutPower();
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
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
