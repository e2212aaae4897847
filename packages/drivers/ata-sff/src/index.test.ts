import { simulate } from '@ring3/backend-sim';
import { BLOCK_DEVICE, Scope, ServiceDirectory, SILENT } from '@ring3/core';
import { expect, it } from 'vitest';
import { ataOptions, ataSff } from './index.ts';
import model, { optionsSchema } from './model/index.ts';

it('brings a disk up, reads what it wrote, stops flushed', async () => {
  const sim = await simulate(model, optionsSchema.parse({ sizeMiB: 8 }));
  const services = new ServiceDirectory();
  const scope = new Scope('ata0');
  const handles = {
    command0: sim.space('command0'),
    control0: sim.space('control0'),
    irq0: sim.interrupt(0),
    command1: sim.space('command1'),
    control1: sim.space('control1'),
    irq1: sim.interrupt(1),
  };
  const environment = { name: 'ata0', clock: sim.clock, log: SILENT, services, simulated: true };
  await sim.run(Promise.resolve(ataSff.attach({ ...handles, ...environment }, ataOptions.parse({}), scope)));
  const disk = services.get(BLOCK_DEVICE, 'disk0');
  const data = Uint8Array.from({ length: 100 * 512 }, (_, index) => (index * 7 + (index >> 9)) & 0xff);
  const back = new Uint8Array(data.length);

  await sim.run(disk.write(1000, data));
  await sim.run(disk.read(1000, back));
  await sim.run(disk.flush());
  await sim.run(scope.close());

  expect(back).toEqual(data);
  expect(disk.info).toMatchObject({ blockCount: 16_384, blockSizeBytes: 512, simulated: true });
  expect(services.list()).toEqual([]);
  await expect(disk.read(0, back)).rejects.toMatchObject({ code: 'closed' });
});
