/** A11, A12 and removal: interrupts that do not come, that come for nothing, and a bus that nobody drives any more. */
import { describe, expect, it } from 'vitest';
import { attachDriver, blocks, broken, same } from './test-driver.ts';

const CHANNEL = 'ata0 channel 0';

describe('A11: lost interrupts', () => {
  it('are noticed after 2 s, counted, and the command goes on as if they had come', async () => {
    const driver = await attachDriver({ model: broken({ on: [0xc4], loseInterrupt: true, atBlock: 1 }) });
    await driver.write(0, blocks(64));
    const startUs = driver.sim.clock.nowUs();
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    expect(driver.sim.clock.nowUs() - startUs).toBeGreaterThan(2_000_000);
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(3_000_000);
    expect(driver.controller.statistics[CHANNEL]).toMatchObject({ lostInterrupts: 1, resets: 1 });
    expect(driver.said.join()).toMatch(/READ MULTIPLE of 64 sectors at 0: lost interrupt/);
  });

  it('of a write and of a flush, too', async () => {
    const driver = await attachDriver({
      model: broken({ on: [0xc5], loseInterrupt: true, atBlock: 1 }, { on: [0xea], loseInterrupt: true }),
    });
    await driver.write(0, blocks(40));
    await driver.flush();
    expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
    expect(same(await driver.read(0, 40), blocks(40))).toBe(true);
    expect(driver.controller.statistics[CHANNEL]).toMatchObject({ lostInterrupts: 2, resets: 1 });
  });

  it('three in a row: polling from then on, said once', async () => {
    const driver = await attachDriver({ faults: { interrupts: [{ lose: true }] } });
    await driver.write(0, blocks(400));
    const startUs = driver.sim.clock.nowUs();
    expect(same(await driver.read(0, 400), blocks(400))).toBe(true);
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(100_000);
    expect(driver.controller.statistics[CHANNEL]).toMatchObject({ lostInterrupts: 3, resets: 1 });
    expect(driver.said.filter((words) => words.includes('lost interrupt'))).toHaveLength(1);
    expect(driver.said.filter((words) => words.includes('polling from now on'))).toHaveLength(1);
  });

  it('now and then do not add up', async () => {
    const driver = await attachDriver({ faults: { interrupts: [{ lose: true, every: 5 }] } });
    for (let block = 0; block < 300; block += 30) await driver.write(block, blocks(30, block));
    for (let block = 0; block < 300; block += 30)
      expect(same(await driver.read(block, 30), blocks(30, block))).toBe(true);
    expect(driver.controller.statistics[CHANNEL]?.lostInterrupts).toBeGreaterThan(3);
    expect(driver.said.join()).not.toContain('polling from now on');
  });
});

describe('A12: spurious interrupts', () => {
  it('while idle and while the device is busy are not ours', async () => {
    const spurious = [{ atUs: 151_000, everyUs: 7 }];
    const model = { disks: [{ sizeMiB: 1, timing: { commandUs: 200, sectorUs: 20 } }] };
    const driver = await attachDriver({ model, faults: { spurious } });
    await driver.write(0, blocks(64));
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    await driver.flush();
    const irq = driver.sim.interrupt(0).statistics;
    expect(irq.notMine).toBeGreaterThan(50);
    expect(driver.controller.statistics[CHANNEL]?.spuriousInterrupts).toBe(irq.notMine);
    expect(driver.controller.statistics[CHANNEL]).toMatchObject({ resets: 1, lostInterrupts: 0 });
    expect(driver.hardware.violations).toEqual([]);
  });

  it('twice for one event, or late, changes nothing', async () => {
    for (const fault of [{ duplicate: true }, { delayUs: 300 }, { delayUs: 2_500_000, every: 7 }] as const) {
      for (const mode of ['compatibility', 'native'] as const) {
        const driver = await attachDriver({ model: { sizeMiB: 1, mode }, faults: { interrupts: [fault] } });
        await driver.write(0, blocks(200));
        expect(same(await driver.read(0, 200), blocks(200))).toBe(true);
        expect(driver.controller.statistics[CHANNEL]?.resets).toBe(1);
        expect(driver.hardware.violations).toEqual([]);
      }
    }
  });

  it('of a line that stays up while commands are polled take it down again', async () => {
    const keepsInterruptsOn = { space: 'control0', access: 'write', stuckBits: { mask: 0x02, value: 0 } } as const;
    const driver = await attachDriver({
      model: { mode: 'native', disks: [{ sizeMiB: 1, timing: { commandUs: 200_000 } }] },
      options: { interrupts: 'polling' },
      faults: { registers: [{ ...keepsInterruptsOn, offset: 2 }] },
    });
    await driver.write(0, blocks(64));
    expect(same(await driver.read(0, 64), blocks(64))).toBe(true);
    expect(driver.sim.interrupt(0).statistics.storms).toBe(0);
  });
});

describe('a removed device', () => {
  it.each(['auto', 'polling'] as const)(
    'ends what runs with "gone" within a second, and the disks (%s)',
    async (interrupts) => {
      const model = {
        disks: [
          { sizeMiB: 1, timing: { commandUs: 300_000 } },
          { sizeMiB: 1, position: 'slave' as const },
        ],
      };
      const driver = await attachDriver({ model, options: { interrupts } });
      const [first, second] = [driver.disk('disk0'), driver.disk('disk1')];
      const withdrawn = driver.services.list().map((service) => service.withdrawn);
      const reading = first.read(0, new Uint8Array(512));
      const waiting = second.read(0, new Uint8Array(512));
      driver.sim.clock.after(100_000, () => driver.sim.removeDevice());

      const startUs = driver.sim.clock.nowUs();
      const [running, queued] = await driver.sim.run(Promise.allSettled([reading, waiting]));
      expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(1_100_000);
      for (const outcome of [running, queued])
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'gone' } });
      expect(driver.services.list()).toEqual([]);
      for (const reason of await Promise.all(withdrawn)) expect(reason).toContain('offline');
      await expect(first.read(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'gone' });
      await expect(first.write(0, new Uint8Array(512))).rejects.toMatchObject({ code: 'gone' });
      await expect(first.flush()).rejects.toMatchObject({ code: 'gone' });
      await driver.stop();
    },
  );

  it('is noticed by the watchdog, too, where the interrupt source knows nothing of it', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, timing: { commandUs: 300_000 } }] } });
    const reading = driver.disk().read(0, new Uint8Array(512));
    driver.sim.clock.after(100_000, () => driver.hardware.cutPower());
    const startUs = driver.sim.clock.nowUs();
    await expect(driver.sim.run(reading)).rejects.toMatchObject({ code: 'gone' });
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(1_000_000);
    expect(driver.services.list()).toEqual([]);
  });

  it('is noticed by the next request when nothing runs', async () => {
    const driver = await attachDriver();
    driver.sim.removeDevice();
    const disk = driver.disk();
    const startUs = driver.sim.clock.nowUs();
    await expect(driver.sim.run(disk.read(0, new Uint8Array(512)))).rejects.toMatchObject({ code: 'gone' });
    expect(driver.sim.clock.nowUs() - startUs).toBeLessThan(1_000_000);
    await driver.stop();
  });

  it('ends a long transfer in its middle', async () => {
    const driver = await attachDriver({ faults: { removal: { atAccess: 60_000 } } });
    const disk = driver.disk();
    const outcome = await driver.sim.run(
      (async () => {
        for (;;) await disk.read(0, new Uint8Array(1024 * 512));
      })().catch((error: unknown) => error),
    );
    expect(outcome).toMatchObject({ code: 'gone' });
  });

  it('ends the error handler, too', async () => {
    const model = broken({ on: [0xc4], times: 'forever', hangUs: 'forever' });
    const driver = await attachDriver({ model });
    const reading = driver.disk().read(0, new Uint8Array(512));
    driver.sim.clock.after(30_500_000, () => driver.hardware.cutPower());
    await expect(driver.sim.run(reading)).rejects.toMatchObject({ code: 'gone' });
    expect(driver.sim.clock.nowUs()).toBeLessThan(32_000_000);
    expect(driver.services.list()).toEqual([]);
    await driver.stop();
  });
});
