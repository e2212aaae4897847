/** What concerns the whole driver: options, the orderly end, several requests at once. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ataOptions, ataSff } from './index.ts';
import { attachDriver, blocks, same } from './test-driver.ts';
import { Witness } from './test-witness.ts';

describe('options', () => {
  it('are described, every one, and have defaults', () => {
    const schema = z.toJSONSchema(ataOptions, { target: 'draft-7', io: 'input' });
    expect(schema.required).toBeUndefined();
    for (const property of Object.values(schema.properties ?? {})) expect(property).toHaveProperty('description');
    expect(ataOptions.safeParse({ interupts: 'auto' }).success).toBe(false);
  });

  it('interrupts: required refuses a device without', async () => {
    const attaching = attachDriver({ without: ['irq0'], options: { interrupts: 'required' } });
    await expect(attaching).rejects.toMatchObject({ code: 'config', message: /channel 0 has no interrupt/ });
  });

  it('interrupts: auto polls a device without', async () => {
    const driver = await attachDriver({ without: ['irq0'] });
    await driver.write(0, blocks(40));
    expect(await driver.read(0, 40)).toEqual(blocks(40));
  });

  it('devices: first does not touch the second', async () => {
    const disks = [{ sizeMiB: 1 }, { sizeMiB: 1, position: 'slave' as const }];
    const first = await attachDriver({ model: { disks }, options: { devices: 'first' } });
    expect(first.services.list().map(({ name }) => name)).toEqual(['disk0']);
    const second = await attachDriver({ model: { disks }, options: { devices: 'second' } });
    expect(second.services.list().map(({ name }) => name)).toEqual(['disk1']);
    expect(await second.read(0, 4, 'disk1')).toEqual(new Uint8Array(4 * 512));
  });

  it('writeCache: on and off are set in the disk', async () => {
    for (const writeCache of ['on', 'off'] as const) {
      const model = { disks: [{ sizeMiB: 1, writeCache: writeCache === 'off' }] };
      const driver = await attachDriver({ model, options: { writeCache } });
      expect(driver.disk().info.volatileCache).toBe(writeCache === 'on');
      expect(driver.hardware.disk()?.settings.writeCache).toBe(writeCache === 'on');
    }
  });
});

describe('the manifest', () => {
  it('needs one channel, and takes what else is there', () => {
    const optional = Object.entries(ataSff.needs).filter(([, need]) => need.need === 'optional');
    expect(optional.map(([name]) => name)).toEqual([
      ...['control0', 'irq0', 'command1', 'control1', 'irq1'],
      ...['busMaster', 'dma'],
    ]);
  });

  it('allows a stop to take as long as FLUSH CACHE', () => {
    expect(ataSff.stopTimeoutUs).toBeGreaterThanOrEqual(60_000_000);
  });
});

describe('the orderly end', () => {
  it.each([false, true])(
    'finishes the running command, refuses what waits, flushes, masks the interrupts (DMA: %s)',
    async (byDma) => {
      const driver = await attachDriver({ byDma, model: { disks: [{ sizeMiB: 1, timing: { commandUs: 1_000 } }] } });
      const disk = driver.disk();
      const witness = new Witness(driver.sim, driver.hardware);
      const running = disk.write(0, blocks(300));
      const waiting = disk.write(500, blocks(300));
      const refused = expect(waiting).rejects.toMatchObject({ code: 'closed' });

      await driver.stop();

      await running;
      await refused;
      expect(witness.commands.at(-1)).toBe(0xea);
      expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
      expect(witness.of('write', 'control0', 0).at(-1)?.value).toBe(0x02);
      expect(driver.sim.machine.systemMemory.pool.usedBytes).toBe(0);
      await expect(disk.write(0, blocks(1))).rejects.toMatchObject({ code: 'closed' });
      await expect(disk.flush()).rejects.toMatchObject({ code: 'closed' });
    },
  );

  it('says when the cache could not be emptied', async () => {
    const driver = await attachDriver({ model: { disks: [{ sizeMiB: 1, defects: { flush: 'fail' } }] } });
    await driver.write(0, blocks(1));
    await expect(driver.stop()).rejects.toThrow(/disk0: FLUSH CACHE EXT/);
  });

  it('leaves the interrupt to the next owner', async () => {
    const driver = await attachDriver();
    await driver.stop();
    driver.sim.interrupt(0).attach(() => 'not-mine')();
  });
});

it('serves many requests to four disks at once', async () => {
  const disks = ([0, 1] as const).flatMap((channel) =>
    (['master', 'slave'] as const).map((position) => ({ channel, position, sizeMiB: 1 })),
  );
  const driver = await attachDriver({ model: { disks } });
  const requests = [0, 1, 2, 3].flatMap((index) => {
    const disk = driver.disk(`disk${index}`);
    return Array.from({ length: 20 }, async (_, block) => {
      const back = new Uint8Array(50 * 512);
      await disk.write(50 * block, blocks(50, index + block));
      await disk.read(50 * block, back);
      return same(back, blocks(50, index + block));
    });
  });
  expect(new Set(await driver.sim.run(Promise.all(requests)))).toEqual(new Set([true]));
  expect(driver.hardware.violations).toEqual([]);
});
