import { expect, it } from 'vitest';
import { attachDriver, blocks } from './test-driver.ts';

it('brings a disk up, reads what it wrote, stops flushed', async () => {
  const driver = await attachDriver();
  const disk = driver.disk();
  const data = blocks(100);

  await driver.write(1000, data);
  expect(await driver.read(1000, 100)).toEqual(data);
  await driver.stop();

  expect(disk.info).toMatchObject({ blockCount: 16_384, blockSizeBytes: 512, simulated: true });
  expect(driver.hardware.disk()?.medium.dirtySectors).toBe(0);
  expect(driver.hardware.violations).toEqual([]);
  expect(driver.services.list()).toEqual([]);
  await expect(disk.read(0, data)).rejects.toMatchObject({ code: 'closed' });
});

it('drives four disks on two channels', async () => {
  const disks = ([0, 1] as const).flatMap((channel) =>
    (['master', 'slave'] as const).map((position) => ({ channel, position, sizeMiB: 4 + channel })),
  );
  for (const mode of ['compatibility', 'native'] as const) {
    const driver = await attachDriver({ model: { disks, mode } });
    const names = ['disk0', 'disk1', 'disk2', 'disk3'];
    const together = names.map((name, index) => driver.disk(name).write(7, blocks(30, index)));
    await driver.sim.run(Promise.all(together));

    for (const [index, name] of names.entries()) expect(await driver.read(7, 30, name)).toEqual(blocks(30, index));
    expect(Object.values(driver.controller.statistics).map((each) => each.lostInterrupts)).toEqual([0, 0]);
    expect(driver.hardware.violations).toEqual([]);
    await driver.stop();
  }
});
