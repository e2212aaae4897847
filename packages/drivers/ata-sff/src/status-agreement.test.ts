/** AltStatus and Status are read both, and believed when they agree: either may have lost a bit on the bus. */
import { expect, it } from 'vitest';
import { attachDriver, blocks, broken, same, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const FLUSH_EXT = 0xea;
const CHANNEL = 'ata0 channel 0';
const [BSY, DRQ, ERR] = [0x80, 0x08, 0x01];
/** In compatibility mode the control block is one register. */
const ALTERNATE_STATUS = { space: 'control0', offset: 0 };
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
const offersData = (value: number) => (value & (BSY | DRQ | ERR)) === DRQ;

it.each([
  ['AltStatus', ALTERNATE_STATUS],
  ['Status', STATUS],
])('a FLUSH that failed is no success when %s has lost its ERR', async (_, where) => {
  const driver = await attachDriver({ model: broken({ on: [FLUSH_EXT], fail: {} }) });
  await driver.write(0, blocks(8));
  const seen = garbleOnce(driver, where, hasFailed, ERR);
  await expect(driver.flush()).rejects.toMatchObject({ code: 'fault' });
  expect(seen.garbled).toBe(1);
});

it.each([
  ['AltStatus', ALTERNATE_STATUS],
  ['Status', STATUS],
])('a command that went well is neither repeated nor waited for when %s has got an ERR', async (_, where) => {
  const driver = await attachDriver();
  await driver.write(0, blocks(8));
  const seen = garbleOnce(driver, where, offersData, ERR);
  const witness = new Witness(driver.sim, driver.hardware);
  const startUs = driver.sim.clock.nowUs();
  expect(same(await driver.read(0, 8), blocks(8))).toBe(true);
  expect(seen.garbled).toBe(1);
  expect(witness.commands).toHaveLength(1);
  expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(100_000);
  expect(driver.controller.statistics[CHANNEL]).toMatchObject({ resets: 1, lostInterrupts: 0 });
});
