/** Native mode: five base address registers and one interrupt, all of them given back whatever fails. */
import simBackend from '@ring3/backend-sim';
import {
  BLOCK_DEVICE,
  type DmaAllocator,
  type InterruptSource,
  type OpenDevice,
  type RegisterSpace,
  SILENT,
} from '@ring3/core';
import { type CheckedDevice, ModuleLoader, Rig, readConfig } from '@ring3/rig';
import { expect, it } from 'vitest';
import { ataSff } from './index.ts';
import model from './model/index.ts';
import { blocks } from './test-driver.ts';

/** What was acquired, and which acquisition goes wrong. */
interface Record {
  count: number;
  failAt: number;
  readonly names: string[];
  readonly spaces: RegisterSpace[];
  readonly lines: InterruptSource[];
  readonly devices: OpenDevice[];
}

/** The simulator, whose devices refuse the n-th thing that is asked of them. */
function reluctant(record: Record): typeof simBackend {
  const acquire = (name: string) => {
    record.names.push(name);
    if (++record.count === record.failAt) throw new Error(`no ${name}`);
  };
  const allocator = (dma: DmaAllocator): DmaAllocator => ({
    memory: dma.memory,
    allocate: (sizeBytes, constraints) => {
      acquire('memory');
      return dma.allocate(sizeBytes, constraints);
    },
  });
  const device = (open: OpenDevice): OpenDevice => ({
    description: open.description,
    clock: open.clock,
    gone: open.gone,
    openSpace: async (resource) => {
      acquire(resource.name ?? 'space');
      const space = await open.openSpace(resource);
      record.spaces.push(space);
      return space;
    },
    openInterrupt: async (resource) => {
      acquire('interrupt');
      const line = await open.openInterrupt(resource);
      record.lines.push(line);
      return line;
    },
    openDma: () => {
      acquire('dma');
      if (open.openDma === undefined) throw new Error('no memory for DMA');
      return allocator(open.openDma() as DmaAllocator);
    },
    silence: () => open.silence?.(),
    close: () => open.close(),
  });
  return {
    ...simBackend,
    create: (environment) => {
      const inner = simBackend.create(environment);
      return {
        list: () => inner.list(),
        describe: (selector) => inner.describe(selector),
        open: async (selector) => {
          acquire('device');
          const open = await inner.open(selector);
          record.devices.push(open);
          return device(open);
        },
        close: () => inner.close(),
      };
    },
  };
}

async function nativeController(failAt = 0) {
  const record: Record = { count: 0, failAt, names: [], spaces: [], lines: [], devices: [] };
  const builtins = {
    drivers: { 'ata-sff': async () => ({ default: ataSff }) },
    models: { 'ata-sff': async () => ({ default: model }) },
    backends: { sim: async () => ({ default: reluctant(record) }) },
  };
  const options = { mode: 'native', disks: [{ sizeMiB: 1 }, { sizeMiB: 1, channel: 1 }] };
  const value = { version: 1, devices: { ata0: { driver: 'ata-sff', backend: { type: 'sim', options } } } };
  const config = await readConfig({ value }, new ModuleLoader({ builtins }));
  const [device] = config.devices;
  if (device === undefined) throw new Error('no device');
  return { record, device, rig: new Rig('test', SILENT), close: () => config.backends.get('sim')?.close() };
}

async function expectNothingHeld(rig: Rig, { spaces, lines, devices }: Record): Promise<void> {
  expect(String(rig.claims)).toBe('');
  for (const space of spaces) expect(() => space.read8(0)).toThrow(/closed|released/);
  for (const line of lines) expect(await Promise.race([line.closed, 'open'])).not.toBe('open');
  for (const device of devices) expect(() => device.openSpace(device.description.spaces[0] as never)).toThrow(/closed/);
}

it('takes five base address registers, one interrupt and memory for each channel', async () => {
  const { record, rig, device, close } = await nativeController();
  await rig.attach(device, {});
  expect(record.names.slice(0, 8)).toEqual([
    'device',
    ...['command0', 'control0', 'interrupt', 'command1', 'control1', 'busMaster', 'dma'],
  ]);
  expect(String(rig.claims).match(/ata0/g)).toHaveLength(5);
  const [disk0, disk2] = [rig.get(BLOCK_DEVICE, 'disk0'), rig.get(BLOCK_DEVICE, 'disk2')];
  await Promise.all([disk0.write(0, blocks(8, 1)), disk2.write(0, blocks(8, 2))]);
  const back = new Uint8Array(8 * 512);
  await disk2.read(0, back);
  expect(back).toEqual(blocks(8, 2));
  await rig.close();
  await expectNothingHeld(rig, record);
  await close();
});

it('gives everything back when any of them cannot be had, and the next try goes well', async () => {
  const all = await nativeController();
  await all.rig.attach(all.device, {});
  const acquisitions = all.record.count;
  await all.rig.close();
  await all.close();
  expect(acquisitions).toBeGreaterThan(12);
  // Each piece of memory is one; the first few and the last tell enough.
  for (const failAt of [...Array.from({ length: 11 }, (_, index) => index + 1), acquisitions]) {
    const { record, rig, device, close } = await nativeController(failAt);
    await expect(attach(rig, device), `acquisition ${failAt}`).rejects.toThrow(
      /ata0: driver ata-sff did not attach|no /,
    );
    await expectNothingHeld(rig, record);
    expect(rig.services.list()).toEqual([]);
    await attach(rig, device);
    await rig.close();
    await expectNothingHeld(rig, record);
    await close();
  }
});

const attach = (rig: Rig, device: CheckedDevice) => rig.attach(device, {});
