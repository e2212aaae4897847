/** A1 to A10, A23 to A25, A29: who is there, and how one waits for it. The numbers are those of the ATA drafts. */
import type { Simulation } from '@ring3/backend-sim';
import { sleep } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, same } from './test-driver.ts';
import { Witness } from './test-witness.ts';

const disksOf = (driver: Awaited<ReturnType<typeof attachDriver>>) => driver.services.list().map(({ name }) => name);

describe('nobody there', () => {
  it('A1: floating bus 0xff: no device within 200 ms, no wait of 30 s', async () => {
    const driver = await attachDriver({ model: { disks: [], floatingBus: 0xff } });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.sim.clock.nowUs()).toBeLessThan(200_000);
    expect(driver.said.join()).toMatch(
      /ata0 channel 0: no device: .*every register reads status 0xff .*nothing drives the bus/,
    );
  });

  it('A1: the same bus with a pull-down on D7', async () => {
    const driver = await attachDriver({ model: { disks: [], floatingBus: 0x7f } });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.sim.clock.nowUs()).toBeLessThan(1_000);
  });

  it('A2: status stuck at 0x7f: no device, and not for ever', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { stuckStatus: 0x7f } }] } });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.sim.clock.nowUs()).toBeLessThan(1_000);
  });

  it('A2: IDENTIFY that always fails is tried once', async () => {
    const driver = await attachDriver({ model: broken({ on: [0xec], times: 'forever', fail: { error: 0x04 } }) });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.controller.statistics['ata0 channel 0']).toMatchObject({ commands: 1, resets: 1 });
    expect(driver.said.join()).toMatch(/device 0 is not used as a disk: .*IDENTIFY DEVICE.*0x51 .*0x04 \(ABRT\)/);
  });

  it.each([
    ['A3: a device 0 that stands in for a missing device 1, status 0', false],
    ['A3: a device 0 that stands in with its own status: one serial number, one disk', true],
  ])('%s', async (_what, ghostSlave) => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { ghostSlave } }] } });
    expect(disksOf(driver)).toEqual(['disk0']);
    if (ghostSlave) expect(driver.said.join()).toContain('device 1 is a ghost of device 0');
  });

  it('A24: a packet device is recognised by its signature and never asked to IDENTIFY', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, atapi: true }] } });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.controller.statistics['ata0 channel 0']?.commands).toBe(0);
    expect(driver.said.join()).toContain('a packet device (ATAPI), not supported');
  });
});

/** READ SECTORS of four sectors, of which nobody fetches one. */
const READ_REGISTERS = [
  [6, 0xe0],
  [2, 4],
  [3, 0],
  [4, 0],
  [5, 0],
  [7, 0x20],
] as const;

async function leaveInTransfer(sim: Simulation): Promise<void> {
  const command = sim.space('command0');
  await sim.run(sleep(sim.clock, 10_000)); // It starts.
  for (const [offset, value] of READ_REGISTERS) command.write8(offset, value);
  await sim.run(sleep(sim.clock, 10_000));
  expect(command.read8(7)).toBe(0x58);
}

it('A9: a disk that a dead driver left in the middle of a read is reset, and found', async () => {
  const driver = await attachDriver({ before: leaveInTransfer });
  expect(disksOf(driver)).toEqual(['disk0']);
  expect(driver.said.join()).toContain('somebody left it in the middle of a transfer (status 0x58 (DRQ DSC DRDY))');
  expect(await driver.read(0, 1)).toEqual(new Uint8Array(512));
});

describe('what IDENTIFY says', () => {
  it.each(['all-ones', 'all-zeros', 'no-capacity'] as const)(
    'A23: a disk whose data is %s is not used',
    async (identify) => {
      const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { identify } }] } });
      expect(disksOf(driver)).toEqual([]);
      expect(driver.said.join()).toMatch(/device 0 is not used as a disk: .*IDENTIFY DEVICE/);
    },
  );

  it('A23: a wrong checksum is read again; the same data twice is believed, aloud', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { identify: 'bad-checksum' } }] } });
    expect(disksOf(driver)).toEqual(['disk0']);
    expect(driver.said.join()).toContain('the checksum of IDENTIFY DEVICE is wrong');
  });

  it('A23: a CompactFlash card is a disk', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { identify: 'compact-flash' } }] } });
    expect(disksOf(driver)).toEqual(['disk0']);
  });
});

describe('waiting', () => {
  it('A4: nothing is believed in the first 400 ns after a command, nor A7 any bit beside BSY', async () => {
    const timing = { settleUs: 0.4, commandUs: 30, sectorUs: 10 };
    const defects = { statusBitsWhileBusy: 0x7f };
    for (const interrupts of ['auto', 'polling'] as const) {
      const model = { disks: [{ sizeMiB: 1, timing, defects }] };
      const driver = await attachDriver({ model, options: { interrupts }, portAccessNs: 10 });
      await driver.write(3, blocks(40));
      expect(same(await driver.read(3, 40), blocks(40))).toBe(true);
      await driver.flush();
      expect(driver.hardware.violations).toEqual([]);
      expect(driver.controller.statistics['ata0 channel 0']).toMatchObject({ resets: 1, lostInterrupts: 0 });
    }
  });

  it('A5: Status is read once per DRQ block and once behind a read; while BSY=1 only AltStatus is looked at', async () => {
    const model = { disks: [{ sizeMiB: 1, timing: { commandUs: 100_000 } }] };
    for (const interrupts of ['auto', 'polling'] as const) {
      const driver = await attachDriver({ model, options: { interrupts } });
      const witness = new Witness(driver.sim, driver.hardware);
      await driver.read(0, 64);
      const statusReads = witness.of('read', 'command0', 7);
      expect(statusReads).toHaveLength(4 + 1);
      expect(statusReads.filter(({ value }) => (value & 0x80) !== 0)).toEqual([]);
    }
  });

  it('A6: no control block: identified by diagnostic, read and written, flushed', async () => {
    for (const interrupts of ['auto', 'polling'] as const) {
      const driver = await attachDriver({ without: ['control0'], options: { interrupts } });
      const witness = new Witness(driver.sim, driver.hardware);
      await driver.write(7, blocks(300));
      expect(same(await driver.read(7, 300), blocks(300))).toBe(true);
      await driver.flush();
      expect(witness.seen.filter(({ space }) => space === 'control0')).toEqual([]);
      expect(driver.said.join()).toContain('has no control block');
      expect(driver.hardware.violations).toEqual([]);
      expect(driver.controller.statistics['ata0 channel 0']).toMatchObject({ resets: 1, lostInterrupts: 0 });
    }
  });

  it('A6: without HOB the first bad sector of a 48-bit command is found all the same', async () => {
    const sectors = 2 ** 29;
    const model = { disks: [{ sectors, defects: { unreadable: [2 ** 28 + 5] } }] };
    const driver = await attachDriver({ model, without: ['control0'] });
    await expect(driver.read(2 ** 28, 8)).rejects.toMatchObject({ code: 'media', details: { block: 2 ** 28 + 5 } });
  });

  it.each([
    [8_000_000, ['disk0'], 5 + 8 + 8 + 1],
    [25_000_000, ['disk0'], 5 + 10 + 25 + 25 + 1],
    ['forever', [], 5 + 10 + 30 + 1],
  ] as const)(
    'A8: IDENTIFY gets 5, 10, 30 s, with resets between: one that takes %s us',
    async (hangUs, disks, seconds) => {
      const driver = await attachDriver({ model: broken({ on: [0xec], times: 'forever', hangUs }) });
      expect(disksOf(driver)).toEqual(disks);
      expect(driver.sim.clock.nowUs()).toBeLessThan(seconds * 1e6);
    },
  );

  it('A8: a 10 s hang costs polls, not failures; a person is told once', async () => {
    const model = broken({ on: [0xc4], hangUs: 12_000_000 });
    const driver = await attachDriver({ model, options: { interrupts: 'polling' } });
    const witness = new Witness(driver.sim, driver.hardware);
    const startUs = driver.sim.clock.nowUs();
    await driver.read(0, 4);
    expect(driver.sim.clock.nowUs() - startUs).toBeGreaterThan(12_000_000);
    expect(witness.seen.length).toBeLessThan(2_000); // Of a first millisecond without pauses; without any there would be millions.
    expect(driver.said.filter((words) => words.includes('slow to respond, please be patient'))).toHaveLength(1);
    expect(driver.controller.statistics['ata0 channel 0']?.resets).toBe(1);
  });

  it('A8: the same by interrupt costs a few looks', async () => {
    const driver = await attachDriver({ model: broken({ on: [0xc4], hangUs: 12_000_000 }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 4);
    expect(witness.seen.length).toBeLessThan(80);
    expect(driver.said.filter((words) => words.includes('slow to respond, please be patient'))).toHaveLength(1);
  });

  it.each(['auto', 'polling'] as const)(
    'A8: BSY for ever: 30 s, a reset, the data is right (%s)',
    async (interrupts) => {
      const model = broken({ on: [0xc4], hangUs: 'forever' });
      const driver = await attachDriver({ model, options: { interrupts } });
      await driver.write(0, blocks(4));
      const startUs = driver.sim.clock.nowUs();
      expect(await driver.read(0, 4)).toEqual(blocks(4));
      expect(driver.sim.clock.nowUs() - startUs).toBeGreaterThan(30_000_000);
      expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(32_000_000);
      expect(driver.controller.statistics['ata0 channel 0']?.resets).toBe(2);
    },
  );

  it.each(['auto', 'polling'] as const)(
    'A8: BSY again and again: DeviceError timeout, bounded (%s)',
    async (interrupts) => {
      const model = broken({ on: [0xc4, 0x20], times: 'forever', hangUs: 'forever' });
      const driver = await attachDriver({ model, options: { interrupts } });
      const startUs = driver.sim.clock.nowUs();
      await expect(driver.read(0, 4)).rejects.toMatchObject({
        code: 'timeout',
        message: /READ MULTIPLE of 4 sectors at 0/,
      });
      expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(95_000_000);
      expect(disksOf(driver)).toEqual(['disk0']);
      await expect(driver.read(0, 4)).rejects.toMatchObject({ code: 'timeout' });
      expect(disksOf(driver)).toEqual([]);
      await expect(driver.read(0, 4)).rejects.toThrow();
    },
  );

  it('A9: a disk that needs 20 s to spin up is waited for', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, timing: { spinUpUs: 20_000_000 } }] } });
    expect(disksOf(driver)).toEqual(['disk0']);
    expect(driver.sim.clock.nowUs()).toBeGreaterThan(20_000_000);
    expect(driver.hardware.violations).toEqual([]);
  });

  it('A9: BSY after the reset: 30 s are waited out in stages', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { resetHangUs: 30_000_000 } }] } });
    expect(disksOf(driver)).toEqual(['disk0']);
    expect(driver.controller.statistics['ata0 channel 0']?.resets).toBe(3);
  });

  it('A9: BSY after the reset for ever: given up after about a minute', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { resetHangUs: 'forever' } }] } });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.sim.clock.nowUs()).toBeGreaterThan(60_000_000);
    expect(driver.sim.clock.nowUs()).toBeLessThan(62_000_000);
  });

  it('A10: SRST is held for 5 us, flushed by a read, and nothing is looked at for 150 ms', async () => {
    const driver = await attachDriver({ model: broken({ on: [0xc4], hangUs: 'forever' }) });
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.read(0, 1);
    const control = witness.of('write', 'control0', 0).map(({ value }) => value);
    expect(control).toEqual([0x02, 0x02, 0x06, 0x02, 0x00]);
    const at = (value: number, from = 0) =>
      witness.seen.findIndex(
        (access, index) => index > from && access.what === 'write' && access.offset === 0 && access.value === value,
      );
    const set = at(0x06);
    const cleared = at(0x02, set);
    const [setAccess, flushed, clearedAccess, flushedAgain, next] = [
      set,
      set + 1,
      cleared,
      cleared + 1,
      cleared + 2,
    ].map((index) => witness.seen[index]);
    expect((clearedAccess?.atUs ?? 0) - (setAccess?.atUs ?? 0)).toBeGreaterThanOrEqual(5);
    for (const read of [flushed, flushedAgain]) expect(read).toMatchObject({ what: 'read', space: 'control0' });
    expect((next?.atUs ?? 0) - (clearedAccess?.atUs ?? 0)).toBeGreaterThanOrEqual(150_000);
  });
});

it('A25: data moves by 16-bit accesses only', async () => {
  const driver = await attachDriver();
  const witness = new Witness(driver.sim, driver.hardware);
  await driver.write(0, blocks(40));
  await driver.read(0, 40);
  const data = witness.seen.filter(({ space, offset }) => space === 'command0' && offset === 0);
  expect(data.length).toBeGreaterThan(0);
  expect(data.filter(({ width }) => width !== 16)).toEqual([]);
  expect(witness.seen.filter((access) => !data.includes(access) && access.width !== 8)).toEqual([]);
});

describe('the task file is read back', () => {
  const options = { verifyTaskFile: true };
  const lost = (nth: number) => ({
    registers: [{ space: 'command0', offset: 4, access: 'write' as const, nth, drop: true as const }],
  });

  it('so that an address that was lost on the bus hits no other sector', async () => {
    for (let nth = 1; nth < 40; nth++) {
      const driver = await attachDriver({ options, faults: lost(nth) });
      for (const block of [0, 0x1100, 0x2200]) await driver.write(block, blocks(1, block));
      for (const block of [0, 0x1100, 0x2200]) expect(await driver.read(block, 1)).toEqual(blocks(1, block));
    }
  });

  it('and a disk with a broken address line is not used', async () => {
    const stuckBits = { mask: 0x10, value: 0 };
    const faults = { registers: [{ space: 'command0', offset: 3, access: 'write' as const, stuckBits }] };
    const driver = await attachDriver({ options, faults });
    expect(disksOf(driver)).toEqual([]);
    expect(driver.said.join()).toContain('does not keep what is written to its registers');
  });

  it('as far as it can: without HOB the high half is not', async () => {
    const stuckBits = { mask: 0x80, value: 0 };
    const driver = await attachDriver({
      options,
      faults: { registers: [{ space: 'control0', access: 'write', stuckBits }] },
    });
    await driver.write(0, blocks(300));
    expect(same(await driver.read(0, 300), blocks(300))).toBe(true);
    expect(driver.said.join()).toContain('the high half of 48-bit addresses is not read back');
  });

  it('at the price of four accesses: 17 beside the data of 16 sectors', async () => {
    for (const [verifyTaskFile, accesses] of [
      [true, 17],
      [false, 13],
    ] as const) {
      const driver = await attachDriver({ options: { verifyTaskFile } });
      const witness = new Witness(driver.sim, driver.hardware);
      await driver.read(0, 16);
      expect(witness.seen.filter(({ what }) => what === 'read' || what === 'write')).toHaveLength(accesses);
    }
  });

  it('unless the options say no, and by itself not on I/O ports, which have the parity of PCI', async () => {
    const driver = await attachDriver();
    const witness = new Witness(driver.sim, driver.hardware);
    await driver.write(0, blocks(1));
    expect(witness.of('read', 'command0', 4)).toEqual([]);
  });
});
