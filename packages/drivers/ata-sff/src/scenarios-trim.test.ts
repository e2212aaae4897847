/** TRIM: DATA SET MANAGEMENT where the disk has it and its data move by DMA. */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const DATA_SET_MANAGEMENT = 0x06;

const attach = (setUp: Parameters<typeof attachDriver>[0] = {}) => attachDriver({ byDma: true, ...setUp });
const trim = (driver: TestDriver, block: number, count: number) =>
  driver.sim.run(Promise.resolve(driver.disk().trim?.(block, count)));
const ZEROS = { disks: [{ sizeMiB: 1, trim: 'zero' as const }] };

describe('TRIM', () => {
  it('takes the content of the blocks that it names, in one command', async () => {
    const driver = await attach({ model: ZEROS });
    await driver.write(0, blocks(100));
    const witness = new Witness(driver.sim, driver.hardware);
    await trim(driver, 10, 50);
    expect(witness.commands).toEqual([DATA_SET_MANAGEMENT]);
    expect(await driver.read(10, 50)).toEqual(new Uint8Array(50 * 512));
    expect(await driver.read(0, 10)).toEqual(blocks(100).subarray(0, 10 * 512));
    expect(await driver.read(60, 40)).toEqual(blocks(100).subarray(60 * 512));
  });

  it.each([
    ['by programmed I/O', { options: { dma: 'off' as const } }],
    ['on a disk without', { model: { disks: [{ sizeMiB: 1, trim: 'none' as const }] } }],
    ['on a disk of 28 bits', { model: { disks: [{ sizeMiB: 1, lba48: false }] } }],
    ['when the disk is read-only', { options: { readOnly: true } }],
  ])('is not offered %s', async (_what, setUp) => {
    const driver = await attach(setUp);
    expect(driver.disk().info.trim).toBe(false);
    await expect(trim(driver, 0, 1)).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('that is refused fails after a second try, and harms nothing', async () => {
    const fail = { error: 0x04 };
    const driver = await attach({ model: broken({ on: [DATA_SET_MANAGEMENT], times: 2, fail }) });
    await driver.write(0, blocks(10));
    await expect(trim(driver, 0, 10)).rejects.toMatchObject({ code: 'fault', message: /DATA SET MANAGEMENT.*ABRT/ });
    expect(await driver.read(0, 10)).toEqual(blocks(10));
    await trim(driver, 0, 10);
    expect(driver.said.join()).not.toContain('sector by sector');
  });

  it('does nothing, which it may, once DMA was given up', async () => {
    const driver = await attach({ model: broken({ on: [0xc8], times: 3, fail: { error: 0x84 } }) });
    await driver.read(0, 1);
    const witness = new Witness(driver.sim, driver.hardware);
    await trim(driver, 0, 10);
    expect(witness.commands).toEqual([]);
  });

  it('that hangs ends with a reset, and the disk goes on', async () => {
    const driver = await attach({ model: broken({ on: [DATA_SET_MANAGEMENT], hangUs: 'forever' }) });
    await trim(driver, 0, 10);
    expect(driver.controller.statistics['ata0 channel 0']?.resets).toBe(2);
  });
});
