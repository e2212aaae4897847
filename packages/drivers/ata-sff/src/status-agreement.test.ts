/** AltStatus and Status are read both, and believed when they agree: either may have lost a bit on the bus. */
import { expect, it } from 'vitest';
import { attachDriver, blocks, broken, same, type TestDriver } from './test-driver.ts';

const CHANNEL = 'ata0 channel 0';
const [BSY, ERR] = [0x80, 0x01];
const ALTERNATE_STATUS = { space: 'control0', offset: 2 };
const STATUS = { space: 'command0', offset: 7 };

/** Inverts bits of the first value that fits, on its way from the device to the driver. */
function garbleOnce(driver: TestDriver, where: typeof STATUS, fits: (value: number) => boolean, bits: number) {
  const { hardware } = driver;
  const { read } = hardware;
  const seen = { garbled: 0 };
  hardware.read = (space, offset, width) => {
    const value = read.call(hardware, space, offset, width);
    if (seen.garbled > 0 || space !== where.space || offset !== where.offset || !fits(value)) return value;
    seen.garbled++;
    return value ^ bits;
  };
  return seen;
}

const hasFailed = (value: number) => (value & (BSY | ERR)) === ERR;
const isReady = (value: number) => (value & (BSY | ERR)) === 0;
const isBusy = (value: number) => (value & BSY) !== 0;

it.each([
  ['AltStatus', ALTERNATE_STATUS],
  ['Status', STATUS],
])('a FLUSH that failed is no success when %s has lost its ERR', async (_, where) => {
  const driver = await attachDriver({ model: broken({ on: [0xea, 0xe7], status: 0x51, error: 0x04, times: 100 }) });
  await driver.write(0, blocks(8));
  const seen = garbleOnce(driver, where, hasFailed, ERR);
  await expect(driver.flush()).rejects.toMatchObject({ code: 'io' });
  expect(seen.garbled).toBe(1);
});

it.each([
  ['AltStatus', ALTERNATE_STATUS],
  ['Status', STATUS],
])('a command that went well is neither repeated nor waited for when %s has got an ERR', async (_, where) => {
  const driver = await attachDriver();
  await driver.write(0, blocks(8));
  const seen = garbleOnce(driver, where, isReady, ERR);
  const startUs = driver.sim.clock.nowUs();
  expect(same(await driver.read(0, 8), blocks(8))).toBe(true);
  expect(seen.garbled).toBe(1);
  expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(100_000);
  expect(driver.controller.statistics[CHANNEL]).toMatchObject({ resets: 1, lostInterrupts: 0 });
});

it('a device that is busy is not asked for data when AltStatus has lost its BSY', async () => {
  const timing = { commandUs: 5000 };
  const driver = await attachDriver({
    model: { disks: [{ sizeMiB: 1, timing }] },
    options: { interrupts: 'polling' },
  });
  await driver.write(0, blocks(8));
  const reading = driver.read(0, 8);
  // BSY gone, DRQ there: exactly what is waited for.
  const seen = garbleOnce(driver, ALTERNATE_STATUS, isBusy, BSY | 0x08);
  expect(same(await reading, blocks(8))).toBe(true);
  expect(seen.garbled).toBe(1);
  expect(driver.hardware.violations).toEqual([]);
  expect(driver.controller.statistics[CHANNEL]?.resets).toBe(1);
});
