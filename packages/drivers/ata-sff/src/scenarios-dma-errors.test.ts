/** A20 and the DMA forms of the other errors: what is told of, what is tried again, what is never believed. */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, type DriverSetUp, same, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const READ_DMA = 0xc8;
const WRITE_DMA = 0xca;
const WRITE_DMA_FUA_EXT = 0x3d;
const READ = 0x20;
const WRITE = 0x30;
const READ_MULTIPLE = 0xc4;
const WRITE_MULTIPLE = 0xc5;
const FLUSH_EXT = 0xea;
const SET_FEATURES = 0xef;
const ABRT = 0x04;
const UNC = 0x40;
/** ICRC comes with ABRT. */
const ICRC = 0x84;
const MINUTE_US = 60_000_000;

const attach = (setUp: DriverSetUp = {}) => attachDriver({ byDma: true, ...setUp });
const statistics = (driver: TestDriver) => driver.controller.statistics['ata0 channel 0'];
const resets = (driver: TestDriver) => (statistics(driver)?.resets ?? 0) - 1;
const words = (driver: TestDriver) => driver.said.join('\n');
const both = ['auto', 'polling'] as const;

describe('A18: a media error by DMA', () => {
  it.each(both)('is found sector by sector, and only its request fails (%s)', async (interrupts) => {
    const model = { disks: [{ sizeMiB: 1, defects: { unreadable: [77] } }] };
    const driver = await attach({ model, options: { interrupts } });
    const witness = new Witness(driver.sim, driver.hardware);
    const block = { code: 'media', details: { block: 77 } };
    await expect(driver.read(50, 100)).rejects.toMatchObject(block);
    expect(witness.commands).toEqual([READ_DMA, READ]);
    expect(same(await driver.read(78, 100), new Uint8Array(100 * 512))).toBe(true);
    expect(same(await driver.read(0, 77), new Uint8Array(77 * 512))).toBe(true);
    expect(witness.commands.slice(2)).toEqual([READ_DMA, READ_DMA]);
    expect(resets(driver)).toBe(0);
    expect(words(driver)).toMatch(/READ DMA of 100 sectors at 50: the device reports: .*UNC.*bus master status/);
  });

  it('that only ABRT tells, at the start of the request, is found too', async () => {
    const model = { disks: [{ sizeMiB: 1, defects: { unreadable: [77], commands: [abort(READ_DMA)] } }] };
    const driver = await attach({ model });
    await expect(driver.read(50, 100)).rejects.toMatchObject({ code: 'media', details: { block: 77 } });
    expect(same(await driver.read(0, 77), new Uint8Array(77 * 512))).toBe(true);
    expect(words(driver)).not.toContain('programmed I/O until');
  });

  it('of a write is found, too', async () => {
    const model = { disks: [{ sizeMiB: 1, writeCache: false, defects: { unwritable: [33] } }] };
    const driver = await attach({ model });
    const witness = new Witness(driver.sim, driver.hardware);
    await expect(driver.write(0, blocks(64))).rejects.toMatchObject({ code: 'media', details: { block: 33 } });
    expect(witness.commands).toEqual([WRITE_DMA, WRITE]);
    await driver.write(34, blocks(30));
    expect(same(await driver.read(34, 30), blocks(30))).toBe(true);
  });

  it('that goes away in the second try is no failure', async () => {
    const driver = await attach({ model: broken({ on: [READ_DMA], fail: { error: UNC } }) });
    await driver.write(0, blocks(8));
    expect(same(await driver.read(0, 8), blocks(8))).toBe(true);
  });
});

const abort = (opcode: number) => ({ on: [opcode], fail: { error: ABRT } });

describe('A20: a checksum that was wrong', () => {
  it.each([READ_DMA, WRITE_DMA])('is tried again at once, by DMA, without a reset (%i)', async (opcode) => {
    const driver = await attach({ model: broken({ on: [opcode], fail: { error: ICRC } }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(64));
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    const once = opcode === READ_DMA ? [WRITE_DMA, READ_DMA, READ_DMA] : [WRITE_DMA, WRITE_DMA, READ_DMA];
    expect(witness.commands).toEqual(once);
    expect(resets(driver)).toBe(0);
    expect(words(driver)).toContain('ICRC');
  });

  it('three times within ten minutes: programmed I/O for good, said once, the mode not touched', async () => {
    const driver = await attach({ model: broken({ on: [READ_DMA], times: 'forever', fail: { error: ICRC } }) });
    await driver.write(0, blocks(64));
    const witness = new Witness(driver.sim, driver.hardware);
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    expect(witness.commands).toEqual([READ_DMA, READ_DMA, READ_DMA, READ_MULTIPLE]);
    witness.forget();
    await driver.write(0, blocks(64, 2));
    expect(same(await driver.read(0, 64), blocks(64, 2))).toBe(true);
    expect(witness.commands).toEqual([WRITE_MULTIPLE, READ_MULTIPLE]);
    expect(driver.said.filter((line) => line.includes('programmed I/O until'))).toHaveLength(1);
    expect(witness.commands).not.toContain(SET_FEATURES);
  });

  it('now and then does not add up', async () => {
    const driver = await attach({ model: broken({ on: [READ_DMA], times: 'forever', fail: { error: ICRC } }) });
    const [defect] = driver.hardware.disk()?.defects.commands ?? [];
    if (defect === undefined) throw new Error('the disk is sound');
    for (let round = 0; round < 4; round++) {
      driver.hardware.disk()?.defects.commands.splice(0, 1, { ...defect, times: 1 });
      await driver.read(0, 8);
      await driver.sim.run(pause(driver, 6 * MINUTE_US));
    }
    expect(driver.said.filter((line) => line.includes('ICRC'))).toHaveLength(4);
    expect(words(driver)).not.toContain('programmed I/O until');
  });
});

function pause(driver: TestDriver, us: number): Promise<void> {
  return new Promise((resolve) => driver.sim.clock.after(us, resolve));
}

describe('a bus master that', () => {
  it.each(both)('cannot reach memory: named, reset, once more (%s)', async (interrupts) => {
    const driver = await attach({ options: { interrupts }, faults: { dma: [{ nth: 4, abort: true }] } });
    const startUs = driver.sim.clock.nowUs();
    await driver.write(0, blocks(200));
    expect(same(await driver.read(0, 200), blocks(200))).toBe(true);
    expect(resets(driver)).toBe(1);
    expect(words(driver)).toMatch(/could not reach memory, .*bus master status 0x[0-9a-f]+ \(.*ERROR/);
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(2_000_000);
  });

  it('never reaches memory is not used any more', async () => {
    const driver = await attach({ faults: { dma: [{ every: 1, abort: true }] } });
    await driver.write(0, blocks(20));
    expect(same(await driver.read(0, 20), blocks(20))).toBe(true);
    expect(words(driver)).toContain('programmed I/O until');
  });

  it.each(both)('stays active when the device is done is not believed (%s)', async (interrupts) => {
    const model = { sizeMiB: 1, busMasterDefects: { activeStuck: true } };
    const driver = await attach({ model, options: { interrupts } });
    await driver.write(0, blocks(20));
    expect(same(await driver.read(0, 20), blocks(20))).toBe(true);
    expect(words(driver)).toContain('the bus master waits for more data');
    expect(words(driver)).toContain('programmed I/O until');
  });

  it('does not show the interrupt bit is used all the same', async () => {
    const driver = await attach({ model: { sizeMiB: 1, busMasterDefects: { interruptBitLost: true } } });
    await driver.write(0, blocks(20));
    expect(same(await driver.read(0, 20), blocks(20))).toBe(true);
    expect(resets(driver)).toBe(0);
  });

  it('was not told where its table is moves nothing to another place', async () => {
    for (const offset of [0, 4]) {
      const lost = { space: 'busMaster', offset, access: 'write' as const, drop: true as const };
      for (let nth = 1; nth < 12; nth++) {
        const driver = await attach({ faults: { registers: [{ ...lost, nth }] } });
        await driver.write(0, blocks(3));
        expect(await driver.read(0, 3)).toEqual(blocks(3));
      }
    }
  });

  it('cannot be stopped keeps its memory, and is not started again', async () => {
    const driver = await attach({ model: broken({ on: [READ_DMA], hangUs: 'forever' }) });
    const held = driver.sim.machine.systemMemory.pool.usedBytes;
    const { read } = driver.hardware;
    driver.hardware.read = (space, offset, width) =>
      (read.call(driver.hardware, space, offset, width) | (space === 'busMaster' && offset === 2 ? 1 : 0)) >>> 0;
    const witness = new Witness(driver.sim, driver.hardware);
    expect(same(await driver.read(0, 20), new Uint8Array(20 * 512))).toBe(true);
    expect(witness.commands.filter((opcode) => opcode === READ_DMA)).toHaveLength(1);
    expect(driver.said.filter((line) => line.includes('cannot be stopped'))).toHaveLength(1);
    await driver.stop();
    expect(driver.sim.machine.systemMemory.pool.usedBytes).toBe(held);
  });
});

describe('A12: interrupts that mean nothing', () => {
  it('are not believed, whatever the interrupt bit says, while the disk is busy', async () => {
    const stuckBits = { mask: 0x04, value: 0x04 };
    const driver = await attach({
      model: { disks: [{ sizeMiB: 1, timing: { commandUs: 10_000 } }] },
      faults: {
        registers: [{ space: 'busMaster', offset: 2, access: 'read', stuckBits }],
        spurious: [{ atUs: 200_000, everyUs: 300, times: 300 }],
      },
    });
    for (const seed of [1, 2, 3]) {
      await driver.write(0, blocks(50, seed));
      expect(same(await driver.read(0, 50), blocks(50, seed))).toBe(true);
    }
    expect(statistics(driver)?.spuriousInterrupts).toBeGreaterThan(50);
    expect(statistics(driver)).toMatchObject({ resets: 1, lostInterrupts: 0 });
  });
});

describe('silence by DMA', () => {
  it('A11: a lost interrupt is noticed after 2 s', async () => {
    const driver = await attach({ model: broken({ on: [READ_DMA], loseInterrupt: true }) });
    await driver.write(0, blocks(8));
    const us = await driver.time(driver.disk().read(0, new Uint8Array(8 * 512)));
    expect(us).toBeGreaterThan(1_900_000);
    expect(us).toBeLessThan(3_000_000);
    expect(statistics(driver)).toMatchObject({ lostInterrupts: 1, resets: 1 });
  });

  it.each(both)(
    'A8: is waited for 30 s; the bus master is stopped before the reset, and all is done again (%s)',
    async (interrupts) => {
      const model = broken({ on: [READ_DMA], hangUs: 'forever' });
      const driver = await attach({ model, options: { interrupts } });
      await driver.write(0, blocks(30));
      const witness = new Witness(driver.sim, driver.hardware);
      const startUs = driver.sim.clock.nowUs();
      expect(same(await driver.read(0, 30), blocks(30))).toBe(true);
      expect(driver.sim.clock.nowUs() - startUs).toBeGreaterThan(30_000_000);
      const bus = witness.of('write', 'busMaster', 0);
      const started = bus.findIndex(({ value }) => value === 0x09);
      const srst = witness.of('write', 'control0', 0).find(({ value }) => (value & 0x04) !== 0);
      expect(bus[started + 1]?.value).toBe(0x08);
      expect(bus[started + 1]?.atUs).toBeLessThan(srst?.atUs ?? 0);
      expect(words(driver)).toMatch(/30(\.\d+)? s.*bus master status/);
    },
  );

  it('for ever: programmed I/O after a reset or two, and no false success', async () => {
    const driver = await attach({ model: broken({ on: [WRITE_DMA], times: 'forever', hangUs: 'forever' }) });
    await driver.write(0, blocks(30));
    expect(same(await driver.read(0, 30), blocks(30))).toBe(true);
    expect(resets(driver)).toBe(2);
  });

  it('a command that was lost on the bus is not believed', async () => {
    const lost = { space: 'command0', offset: 7, access: 'write' as const, drop: true as const };
    for (let nth = 4; nth < 12; nth++) {
      for (const interrupts of both) {
        const driver = await attach({ faults: { registers: [{ ...lost, nth }] }, options: { interrupts } });
        await driver.write(0, blocks(3));
        expect(await driver.read(0, 3)).toEqual(blocks(3));
      }
    }
  });

  it.each(both)('nor one that was lost together with the start of the bus master (%s)', async (interrupts) => {
    const driver = await attach({ options: { interrupts } });
    const { write } = driver.hardware;
    let lost = 2;
    driver.hardware.write = (space, offset, width, value) => {
      const starts = space === 'busMaster' ? offset === 0 && (value & 1) === 1 : space === 'command0' && offset === 7;
      if (!starts || lost-- <= 0) write.call(driver.hardware, space, offset, width, value);
    };
    await driver.write(0, blocks(3));
    expect(await driver.read(0, 3)).toEqual(blocks(3));
    expect(words(driver)).toContain('not seen to take the command');
  });
});

it('a disk that refuses DMA commands is not asked for ever', async () => {
  const driver = await attach({ model: broken({ ...abort(READ_DMA), times: 'forever' }) });
  for (let round = 0; round < 3; round++) expect(same(await driver.read(0, 8), new Uint8Array(4096))).toBe(true);
  const witness = new Witness(driver.sim, driver.hardware);
  await driver.read(0, 8);
  expect(witness.commands).toEqual([READ_MULTIPLE]);
});

describe('A28: force unit access by DMA', () => {
  it('that hits a bad sector is tried once more as a write and a flush, and is native again after that', async () => {
    const driver = await attach({ model: broken({ on: [WRITE_DMA_FUA_EXT], fail: { error: UNC } }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    await driver.write(0, blocks(4), true);
    expect(witness.commands).toEqual([WRITE_DMA_FUA_EXT, WRITE, FLUSH_EXT, WRITE_DMA_FUA_EXT]);
  });

  it('falls back to write and flush when the disk refuses the command after all', async () => {
    const driver = await attach({ model: broken({ ...abort(WRITE_DMA_FUA_EXT), times: 'forever' }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    await driver.write(0, blocks(4), true);
    expect(witness.commands).toEqual([WRITE_DMA_FUA_EXT, WRITE, FLUSH_EXT, WRITE_DMA, FLUSH_EXT]);
  });
});

describe('A removed device in the middle of a DMA transfer', () => {
  it.each(both)('is gone within a second, with its disks and its memory (%s)', async (interrupts) => {
    for (const how of ['plug', 'registers'] as const) {
      const model = { disks: [{ sizeMiB: 4, timing: { sectorUs: 1000 } }] };
      const driver = await attach({ model, options: { interrupts } });
      const reading = driver.disk().read(0, new Uint8Array(1000 * 512));
      driver.sim.clock.after(100_000, () => (how === 'plug' ? driver.sim.removeDevice() : driver.hardware.cutPower()));
      const startUs = driver.sim.clock.nowUs();
      await expect(driver.sim.run(reading)).rejects.toMatchObject({ code: 'gone' });
      expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(1_000_000);
      expect(driver.services.list()).toEqual([]);
      await driver.stop();
      expect(driver.sim.machine.systemMemory.pool.usedBytes).toBe(0);
    }
  });
});
