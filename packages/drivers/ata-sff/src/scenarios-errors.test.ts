/** A13 to A22, A26 to A29: what goes wrong with a command, and what the error handler makes of it. */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, same, type TestDriver } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const READ = 0x20;
const READ_MULTIPLE = 0xc4;
const WRITE = 0x30;
const WRITE_MULTIPLE = 0xc5;
const WRITE_MULTIPLE_FUA_EXT = 0xce;
const SET_MULTIPLE = 0xc6;
const FLUSH_EXT = 0xea;
const IDENTIFY = 0xec;
const ABRT = 0x04;
const IDNF = 0x10;
const MC = 0x20;
const UNC = 0x40;

const resets = (driver: TestDriver) => (driver.controller.statistics['ata0 channel 0']?.resets ?? 0) - 1;
const disksOf = (driver: TestDriver) => driver.services.list().map(({ name }) => name);

describe('broken protocol', () => {
  it.each(['auto', 'polling'] as const)(
    'A13: neither data nor error: reset, identified again, retried (%s)',
    async (interrupts) => {
      const model = broken({ on: [READ_MULTIPLE], lateDrqUs: 'forever', atBlock: 1 });
      const driver = await attachDriver({ model, options: { interrupts } });
      await driver.write(0, blocks(64));
      const witness = new Witness(driver.sim, driver.hardware);
      expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
      expect(witness.commands).toEqual([READ_MULTIPLE, IDENTIFY, SET_MULTIPLE, IDENTIFY, READ_MULTIPLE]);
      expect(resets(driver)).toBe(1);
      expect(driver.said.join()).toContain('DRQ=0 and no error where data was expected: status 0x50');
    },
  );

  it('A13: again and again: a named error, and the disk is given up', async () => {
    const driver = await attachDriver({
      model: broken({ on: [READ_MULTIPLE], times: 'forever', lateDrqUs: 'forever' }),
    });
    const failures = [];
    for (let request = 0; request < 3; request++)
      failures.push(await driver.read(0, 4).catch((error: unknown) => error));
    expect(failures[0]).toMatchObject({ code: 'fault' });
    expect(disksOf(driver)).toEqual([]);
    expect(resets(driver)).toBeLessThanOrEqual(6);
  });

  it('A14: a block of junk with the error is taken off the device; no reset', async () => {
    const fail = { error: UNC, lba: 2, drq: 'block' } as const;
    const driver = await attachDriver({ model: broken({ on: [READ, READ_MULTIPLE], times: 2, fail }) });
    await expect(driver.read(0, 1)).rejects.toMatchObject({ code: 'media' });
    expect(resets(driver)).toBe(0);
    await driver.write(0, blocks(8));
    expect(await driver.read(0, 8)).toEqual(blocks(8));
    expect(driver.hardware.violations).toEqual([]);
  });

  it('A15: DRQ with an error before the first block of a write: no data is sent, reset, retried', async () => {
    const driver = await attachDriver({ model: broken({ on: [WRITE_MULTIPLE], fail: { drq: 'block' } }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4));
    const firstReset = witness.seen.findIndex(
      ({ space, what, value }) => space === 'control0' && what === 'write' && value === 0x06,
    );
    const firstData = witness.seen.findIndex(
      ({ what, offset, space }) => space === 'command0' && offset === 0 && what === 'write-fifo',
    );
    expect(firstReset).toBeGreaterThan(0);
    expect(firstData).toBeGreaterThan(firstReset);
    expect(await driver.read(0, 4)).toEqual(blocks(4));
  });

  it('A16: DRQ that stays after an error is drained before the reset', async () => {
    const fail = { drq: 'stuck', stuckWords: 5_000 } as const;
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], fail }) });
    await driver.write(0, blocks(4));
    const witness = new Witness(driver.sim, driver.hardware);
    expect(await driver.read(0, 4)).toEqual(blocks(4));
    const resetAt = witness.seen.findIndex(
      ({ space, what, value }) => space === 'control0' && what === 'write' && value === 0x06,
    );
    const drained = witness.seen
      .slice(0, resetAt)
      .filter(({ offset, what }) => offset === 0 && what.startsWith('read'));
    expect(drained.length).toBeGreaterThan(10);
    expect(driver.said.join()).toMatch(/drained \d+ bytes before the reset; DRQ is clear/);
    expect(resets(driver)).toBe(1);
  });

  it('A16: a device that offers data without end is reset after 64 KiB', async () => {
    const fail = { drq: 'stuck', stuckWords: 10_000_000 } as const;
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], fail }) });
    await driver.read(0, 4);
    expect(driver.said.join()).toContain('drained 65536 bytes before the reset; DRQ is still set');
    expect(resets(driver)).toBe(1);
  });
});

describe('multiple mode', () => {
  it('A17: is set again after a reset', async () => {
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], hangUs: 'forever' }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 32);
    expect(witness.commands).toEqual([READ_MULTIPLE, IDENTIFY, SET_MULTIPLE, IDENTIFY, READ_MULTIPLE]);
  });

  it('A17: a disk that refuses SET MULTIPLE is read sector by sector', async () => {
    const driver = await attachDriver({ model: broken({ on: [SET_MULTIPLE], times: 'forever', fail: {} }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(32));
    expect(same(await driver.read(0, 32), blocks(32))).toBe(true);
    expect(witness.commands).toEqual([WRITE, READ]);
  });

  it('A17: a disk that refuses READ MULTIPLE is not asked for ever', async () => {
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], times: 'forever', fail: {} }) });
    await driver.write(0, blocks(32));
    for (let request = 0; request < 3; request++) expect(same(await driver.read(0, 32), blocks(32))).toBe(true);
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 32);
    expect(witness.commands).toEqual([READ]);
    expect(resets(driver)).toBe(0);
  });

  it('a setting that is gone without a reset of ours means a loss of power: it is set again, and flushes fail', async () => {
    const driver = await attachDriver();
    await driver.write(0, blocks(4));
    driver.hardware.disk()?.settings.powerOn();
    await driver.read(0, 4);
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault', message: /without power/ });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 4);
    expect(witness.commands).toEqual([READ_MULTIPLE]);
  });

  it('is not used when the options say so', async () => {
    const driver = await attachDriver({ options: { multiple: false } });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4));
    expect(witness.commands).toEqual([WRITE]);
  });
});

describe('A18: media errors', () => {
  it.each(['auto', 'polling'] as const)(
    'fail the request that hits them and name the first bad block (%s)',
    async (interrupts) => {
      const model = { disks: [{ sizeMiB: 1, defects: { unreadable: [105, 107] } }] };
      const driver = await attachDriver({ model, options: { interrupts } });
      await expect(driver.read(100, 16)).rejects.toMatchObject({ code: 'media', details: { block: 105 } });
      await driver.read(100, 5);
      await driver.read(106, 1);
      await driver.read(108, 100);
      expect(resets(driver)).toBe(0);
    },
  );

  it('above 28 bits, through HOB', async () => {
    const model = { disks: [{ sectors: 2 ** 40, defects: { unreadable: [2 ** 39 + 70_000] } }] };
    const driver = await attachDriver({ model });
    await expect(driver.read(2 ** 39 + 69_000, 2000)).rejects.toMatchObject({ details: { block: 2 ** 39 + 70_000 } });
  });

  it('are retried within bounds, without a reset storm', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { unreadable: [1] } }] } });
    const witness = new Witness(driver.sim, driver.hardware);
    await expect(driver.read(0, 4)).rejects.toMatchObject({ details: { block: 1 } });
    expect(witness.commands).toEqual([READ_MULTIPLE, READ]);
    expect(driver.said.filter((words) => words.includes('UNC'))).toHaveLength(2);
  });

  it('that go away in the second try are no failure', async () => {
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], fail: { error: UNC } }) });
    await driver.write(0, blocks(40));
    expect(same(await driver.read(0, 40), blocks(40))).toBe(true);
  });

  it('that only ABRT tells are found sector by sector', async () => {
    const aborts = { on: [READ_MULTIPLE], fail: { error: ABRT } };
    const driver = await attachDriver({ model: broken(aborts, { on: [READ], atBlock: 7, fail: { error: ABRT } }) });
    await expect(driver.read(100, 16)).rejects.toMatchObject({ code: 'media', details: { block: 107 } });
  });

  it('of a write name the block, too', async () => {
    const bad = { fail: { error: IDNF, lba: 21 } };
    const driver = await attachDriver({ model: broken({ on: [WRITE_MULTIPLE], ...bad }, { on: [WRITE], ...bad }) });
    await expect(driver.write(20, blocks(4))).rejects.toMatchObject({ code: 'media', details: { block: 21 } });
  });
});

describe('A19: addresses', () => {
  it('never wrap at 2^28', async () => {
    const edge = 2 ** 28;
    const driver = await attachDriver({ model: { disks: [{ sectors: edge + 1000 }] } });
    for (const block of [edge - 9, edge - 8, edge - 4, edge - 1, edge, edge + 990]) {
      await driver.write(block, blocks(8, block));
      expect(await driver.read(block, 8)).toEqual(blocks(8, block));
    }
    expect(await driver.read(0, 8)).toEqual(new Uint8Array(8 * 512));
  });

  it('end where a host protected area begins', async () => {
    const driver = await attachDriver({ model: { disks: [{ sectors: 2000, hiddenSectors: 500 }] } });
    expect(driver.disk().info.blockCount).toBe(1500);
    await driver.read(1499, 1);
    await expect(driver.read(1500, 1)).rejects.toThrow(RangeError);
  });

  it('256 sectors in one 28-bit command, 65536 in one 48-bit command', async () => {
    const small = await attachDriver({ model: { disks: [{ sizeMiB: 1, lba48: false }] } });
    expect(small.disk().info.maxTransferBlocks).toBe(256);
    await small.write(3, blocks(256));
    expect(same(await small.read(3, 256), blocks(256))).toBe(true);
    const large = await attachDriver({ model: { disks: [{ sizeMiB: 40 }] }, options: { maxTransferBlocks: 65_536 } });
    await large.write(3, blocks(65_536));
    expect(same(await large.read(3, 65_536), blocks(65_536))).toBe(true);
  });
});

describe('A21: device faults', () => {
  it('get one reset and one more try', async () => {
    const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], fail: { deviceFault: true } }) });
    await driver.read(0, 4);
    expect(resets(driver)).toBe(1);
    expect(disksOf(driver)).toEqual(['disk0']);
  });

  it('take the disk offline when they stay', async () => {
    const faults = { on: [READ, READ_MULTIPLE], times: 'forever', fail: { deviceFault: true } } as const;
    const driver = await attachDriver({ model: broken({ ...faults, on: [...faults.on] }) });
    const disk = driver.disk();
    await expect(driver.read(0, 4)).rejects.toMatchObject({ code: 'fault', message: /0x70 .*DF/ });
    expect(disksOf(driver)).toEqual([]);
    await expect(disk.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'fault' });
  });
});

it('A22: a medium that was changed under a fixed disk is looked at again', async () => {
  const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { mediumChanged: true } }] } });
  const witness = new Witness(driver.sim, driver.hardware);
  await driver.read(0, 4);
  expect(witness.commands.filter((command) => command === IDENTIFY).length).toBeGreaterThan(0);
  expect(driver.said.join()).toContain('(MC)');
  expect(MC).toBe(0x20);
});

it('another disk behind the same cable after a reset is not served under the old name', async () => {
  const driver = await attachDriver({ model: broken({ on: [READ_MULTIPLE], hangUs: 'forever' }) });
  const disk = driver.hardware.disk();
  if (disk !== undefined) Object.assign(disk.options, { serial: 'ANOTHER' });
  const old = driver.disk();
  await expect(driver.read(0, 4)).rejects.toMatchObject({
    code: 'gone',
    message: /another disk answers in its place: .* ANOTHER/,
  });
  expect(disksOf(driver)).toEqual([]);
  await expect(old.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'gone' });
});

describe('A26: writes', () => {
  it('that stop in the middle are issued again as a whole', async () => {
    const driver = await attachDriver({ model: broken({ on: [WRITE_MULTIPLE], lateDrqUs: 'forever', atBlock: 2 }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(64));
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    expect(witness.commands.filter((command) => command === WRITE_MULTIPLE)).toHaveLength(2);
  });

  it('that cannot be finished are never reported as done', async () => {
    const hangs = { on: [WRITE, WRITE_MULTIPLE], times: 'forever', lateDrqUs: 'forever', atBlock: 1 } as const;
    const driver = await attachDriver({ model: broken({ ...hangs, on: [...hangs.on] }) });
    await expect(driver.write(0, blocks(64))).rejects.toMatchObject({ code: 'fault' });
  });

  it('in doubt after a failed flush: every later flush fails, until the driver is attached anew', async () => {
    const driver = await attachDriver({ model: broken({ on: [FLUSH_EXT], fail: {} }) });
    await driver.write(0, blocks(4));
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault', message: /FLUSH CACHE EXT/ });
    await driver.write(8, blocks(4));
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault' });
    await driver.read(0, 4);
  });

  it('that a flush dropped are a failure although the next flush goes well, which saves the others', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { unwritable: [10] } }] } });
    await driver.write(0, blocks(30));
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault', message: /address 10/ });
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault' });
  });

  it('a flush that only needed a reset is a success', async () => {
    const driver = await attachDriver({ model: broken({ on: [FLUSH_EXT], hangUs: 'forever' }) });
    await driver.write(0, blocks(4));
    await driver.flush();
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
    expect(resets(driver)).toBe(1);
  });

  it('a flush that faults twice takes the disk offline', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { flush: 'device-fault' } }] } });
    await driver.write(0, blocks(4));
    await expect(driver.flush()).rejects.toMatchObject({ code: 'fault' });
    expect(disksOf(driver)).toEqual([]);
  });
});

it('A27: a flush of 55 s is waited for; reads wait behind it', async () => {
  const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, timing: { flushUs: 55_000_000 } }] } });
  await driver.write(0, blocks(4));
  const disk = driver.disk();
  const back = new Uint8Array(4 * 512);
  await driver.sim.run(Promise.all([disk.flush(), disk.read(0, back)]));
  expect(back).toEqual(blocks(4));
  expect(resets(driver)).toBe(0);
  expect(driver.said.filter((words) => words.includes('please be patient'))).toHaveLength(1);
});

describe('A28: force unit access', () => {
  it('is WRITE MULTIPLE FUA EXT where the disk has it', async () => {
    const driver = await attachDriver();
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(40), true);
    expect(witness.commands).toEqual([WRITE_MULTIPLE_FUA_EXT]);
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
    expect(same(await driver.read(0, 40), blocks(40))).toBe(true);
  });

  it.each([
    ['without FUA', { fua: false }, {}],
    ['without multiple mode', { multiple: 0 }, {}],
    ['with multiple mode unused', {}, { multiple: false }],
  ])('is a write and a flush %s', async (_what, disk, options) => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, ...disk }] }, options });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    expect(witness.commands.at(-1)).toBe(FLUSH_EXT);
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  });

  it('is a plain write when the cache is off', async () => {
    const driver = await attachDriver({ options: { writeCache: 'off' } });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    expect(driver.disk().info.volatileCache).toBe(false);
    expect(witness.commands).toEqual([WRITE_MULTIPLE]);
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  });

  it('that hits a bad sector is tried once more as a write and a flush, and is native again after that', async () => {
    const driver = await attachDriver({
      model: broken({ on: [WRITE_MULTIPLE_FUA_EXT], fail: { error: IDNF, lba: 1 } }),
    });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    await driver.write(4, blocks(4), true);
    expect(witness.commands).toEqual([WRITE_MULTIPLE_FUA_EXT, WRITE, FLUSH_EXT, WRITE_MULTIPLE_FUA_EXT]);
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  });

  it('falls back to write and flush when the disk refuses the command after all', async () => {
    const driver = await attachDriver({ model: broken({ on: [WRITE_MULTIPLE_FUA_EXT], times: 'forever', fail: {} }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(4), true);
    await driver.write(4, blocks(4), true);
    expect(witness.commands.filter((command) => command === WRITE_MULTIPLE_FUA_EXT)).toHaveLength(1);
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  });
});

it('the write cache stays off after a reset that brings the defaults back', async () => {
  const driver = await attachDriver({
    model: broken({ on: [READ_MULTIPLE], hangUs: 'forever' }),
    options: { writeCache: 'off' },
  });
  await driver.read(0, 4);
  expect(resets(driver)).toBe(1);
  expect(driver.hardware.disk()?.settings.writeCache).toBe(false);
});

it('A29: a reset for one disk hits both, and neither loses a request', async () => {
  const commands = [{ on: [READ_MULTIPLE], hangUs: 'forever' as const }];
  const model = {
    disks: [
      { sizeMiB: 1, defects: { commands } },
      { sizeMiB: 1, position: 'slave' as const },
    ],
  };
  const driver = await attachDriver({ model });
  await driver.write(0, blocks(4, 1));
  const witness = new Witness(driver.sim, driver.hardware);
  const first = new Uint8Array(4 * 512);
  const second = blocks(40, 2);
  const back = new Uint8Array(second.length);
  const [one, other] = [driver.disk('disk0'), driver.disk('disk1')];
  await driver.sim.run(
    Promise.all([one.read(0, first), other.write(0, second), other.read(0, back), one.read(0, first)]),
  );
  expect(first).toEqual(blocks(4, 1));
  expect(back).toEqual(second);
  expect(witness.commands.filter((command) => command === SET_MULTIPLE)).toHaveLength(2);
  await driver.sim.run(other.flush());
  expect(driver.said.join()).not.toContain('without power');
});

it('a flush that was lost on the bus, twice, is not believed', async () => {
  for (const interrupts of ['auto', 'polling'] as const) {
    const lost = { space: 'command0', offset: 7, access: 'write', drop: true } as const;
    // Commands so far: IDENTIFY, SET MULTIPLE, IDENTIFY, WRITE MULTIPLE.
    const faults = {
      registers: [
        { ...lost, nth: 5 },
        { ...lost, nth: 6 },
      ],
    };
    const driver = await attachDriver({ faults, options: { interrupts } });
    await driver.write(0, blocks(4));
    await driver.flush();
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  }
});
