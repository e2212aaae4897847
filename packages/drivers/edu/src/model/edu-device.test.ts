import { type Simulation, simulate } from '@ring3/backend-sim';
import { sleep } from '@ring3/core';
import { expect, it, onTestFinished } from 'vitest';
import model, { optionsSchema } from './index.ts';

async function start(): Promise<Simulation & { read(offset: number): number; write(offset: number, v: number): void }> {
  const sim = await simulate(model, optionsSchema.parse({}));
  onTestFinished(() => sim.close());
  const registers = sim.memory('registers');
  return { ...sim, read: (offset) => registers.read32(offset), write: (offset, v) => registers.write32(offset, v) };
}

it('is the PCI function that QEMU has, with one BAR of 1 MiB that takes 32-bit accesses', async () => {
  const sim = await start();
  expect(sim.device.description).toMatchObject({
    identity: { pci: { vendorId: 0x1234, deviceId: 0x11e8, classCode: 0x00ff00, revision: 0x10 } },
    spaces: [{ bar: 0, sizeBytes: 1_048_576 }],
  });
  expect(() => sim.memory('registers').read8(0)).toThrow('no 8-bit access');
});

it('computes while COMPUTING is set, and loses what is written meanwhile', async () => {
  const sim = await start();
  sim.write(0x08, 5);
  expect(sim.read(0x20)).toBe(0x01);
  sim.write(0x08, 6);
  await sim.run(sleep(sim.clock, 100));
  expect([sim.read(0x20), sim.read(0x08)]).toEqual([0, 120]);
});

it('computes modulo 2^32', async () => {
  const sim = await start();
  const of = async (n: number) => {
    sim.write(0x08, n);
    await sim.run(sleep(sim.clock, 100));
    return sim.read(0x08);
  };
  expect(await of(0)).toBe(1);
  expect(await of(13)).toBe(1_932_053_504);
  expect(await of(33)).toBe(0x8000_0000);
  expect(await of(34)).toBe(0);
  expect(await of(0xffff_ffff)).toBe(0);
});

it('raises an interrupt for each cause that is set, and holds it until all are acknowledged', async () => {
  const sim = await start();
  let interrupts = 0;
  sim.interrupt().attach(() => {
    interrupts++;
    sim.write(0x64, interrupts === 1 ? 0x4 : 0x8000_0000);
    return 'handled';
  });
  sim.interrupt().enable();
  sim.write(0x60, 0x8000_0000);
  sim.write(0x60, 0x4);
  expect(sim.read(0x24)).toBe(0x8000_0004);
  await sim.run(sleep(sim.clock, 100));
  expect([interrupts, sim.read(0x24)]).toEqual([2, 0]);
});

it('reads all ones where there is no register, and where it is only written', async () => {
  const sim = await start();
  for (const offset of [0x0c, 0x60, 0x64, 0x84, 0xf_fffc]) expect(sim.read(offset)).toBe(0xffff_ffff);
});

it('keeps the DMA registers until a transfer is started, which it never ends', async () => {
  const sim = await start();
  sim.write(0x80, 0x1000);
  sim.write(0x98, 2);
  expect([sim.read(0x80), sim.read(0x98)]).toEqual([0x1000, 0]);
  sim.write(0x98, 1);
  sim.write(0x80, 0x2000);
  await sim.run(sleep(sim.clock, 200_000));
  expect([sim.read(0x80), sim.read(0x98)]).toEqual([0x1000, 1]);
});
