import { type SimulateOptions, simulate } from '@ring3/backend-sim';
import { describe, expect, it } from 'vitest';
import model, { type ControllerOptionsInput, optionsSchema, SffController } from './index.ts';
import { createBench } from './test-bench.ts';
import { DmaHost } from './test-dma.ts';
import { Host, pattern } from './test-host.ts';

const SECTORS = 100;
const BYTES = SECTORS * 512;

/** A controller on a simulated machine, a table for one region of 100 sectors, and the commands that use it. */
async function createMachine(options: ControllerOptionsInput = { sectors: 1000 }, settings: SimulateOptions = {}) {
  const simulation = await simulate(model, optionsSchema.parse(options), {
    pace: 'manual',
    ...settings,
  });
  const controller = simulation.model;
  if (!(controller instanceof SffController)) throw new Error('another model');
  await simulation.clock.advance(1000);
  const command = simulation.ports('command0');
  const busMaster = simulation.ports('busMaster');
  const memory = simulation.device.openDma();
  const table = memory.allocate(8);
  const buffer = memory.allocate(BYTES, { boundary: 0x1_0000 });
  const entry = new DataView(table.bytes.buffer, table.bytes.byteOffset);
  entry.setUint32(0, Number(buffer.busAddress), true);
  entry.setUint32(4, 0x8000_0000 + BYTES, true);
  table.syncForDevice();
  return {
    simulation,
    disk: controller.disk(),
    buffer,
    status: () => busMaster.read8(2),
    diskStatus: () => command.read8(7),
    start: (opcode: number) => {
      const direction = opcode === 0xc8 ? 0x08 : 0x00;
      busMaster.write32(4, Number(table.busAddress));
      busMaster.write8(2, 0x26);
      busMaster.write8(0, direction);
      for (const [offset, value] of [SECTORS, 0, 0, 0, 0xe0].entries()) command.write8(2 + offset, value);
      command.write8(7, opcode);
      busMaster.write8(0, direction | 0x01);
    },
  };
}

const whole = { read: 0xc8, write: 0xca };

describe('a transfer on a simulated machine', () => {
  it('goes both ways', async () => {
    const { simulation, buffer, status, diskStatus, start } = await createMachine();
    buffer.bytes.set(pattern(SECTORS, 1));
    start(whole.write);
    await simulation.clock.advance(1000);
    expect([status(), diskStatus()]).toEqual([0x24, 0x50]);
    buffer.bytes.fill(0);
    start(whole.read);
    await simulation.clock.advance(1000);
    expect([status(), diskStatus()]).toEqual([0x24, 0x50]);
    expect(Buffer.compare(buffer.bytes, pattern(SECTORS, 1))).toBe(0);
  });

  it('does not start before the function may be bus master', async () => {
    const { simulation, status, start } = await createMachine();
    simulation.device.silence();
    start(whole.read);
    await simulation.clock.advance(1000);
    expect(status()).toBe(0x22);
  });

  it('shows old data to who forgets a sync', async () => {
    const { simulation, disk, buffer, start } = await createMachine({ sectors: 1000 }, { memory: { coherent: false } });
    disk?.medium.write(0, pattern(SECTORS, 2));
    start(whole.read);
    await simulation.clock.advance(1000);
    expect(buffer.bytes[0]).toBe(0);
    buffer.syncForCpu();
    expect(Buffer.compare(buffer.bytes, pattern(SECTORS, 2))).toBe(0);
  });

  it('ends in the middle when the device is removed', async () => {
    const { simulation, disk, buffer, status, start } = await createMachine();
    disk?.medium.write(0, pattern(SECTORS, 3));
    start(whole.read);
    await simulation.clock.advance(40);
    simulation.removeDevice();
    const moved = buffer.bytes.slice();
    await simulation.clock.advance(1000);
    expect(status()).toBe(0xff);
    expect(buffer.bytes).toEqual(moved);
    expect(moved.subarray(0, 512)).toEqual(pattern(SECTORS, 3).subarray(0, 512));
    expect(moved.subarray(-512)).toEqual(new Uint8Array(512));
  });

  it('leaves whole sectors behind when the power goes', async () => {
    const { simulation, disk, buffer, start } = await createMachine({
      disks: [{ sectors: 1000, writeCache: false, powerCut: { survivors: 1 } }],
    });
    buffer.bytes.set(pattern(SECTORS, 4));
    start(whole.write);
    await simulation.clock.advance(40);
    simulation.cutPower();
    const stored = new Uint8Array(BYTES);
    disk?.medium.store.read(0, stored);
    const written = stored.findLastIndex((byte) => byte !== 0) + 1;
    const sectors = Math.ceil(written / 512);
    expect(sectors).toBeGreaterThan(0);
    expect(sectors).toBeLessThan(SECTORS);
    expect(stored.subarray(0, sectors * 512)).toEqual(pattern(SECTORS, 4).subarray(0, sectors * 512));
  });

  it.each([
    ['the table is not read', { direction: 'read', nth: 1 }, whole.read],
    ['memory takes no data', { direction: 'write', nth: 3 }, whole.read],
    ['memory gives no data', { direction: 'read', nth: 3 }, whole.write],
  ] as const)('has the Error bit when %s', async (_what, fault, opcode) => {
    const { simulation, status, diskStatus, start } = await createMachine(
      { sectors: 1000 },
      { faults: { dma: [{ ...fault, abort: true }] } },
    );
    start(opcode);
    await simulation.clock.advance(1000);
    expect([status(), diskStatus()]).toEqual([0x22, 0x58]);
    expect(simulation.faults.count).toBe(1);
  });

  it('takes longer when the bus stalls', async () => {
    const { simulation, status, start } = await createMachine(
      { sectors: 1000 },
      { faults: { dma: [{ every: 2, delayUs: 300 }] } },
    );
    start(whole.read);
    await simulation.clock.advance(500);
    expect(status()).toBe(0x21);
    await simulation.clock.advance(1500);
    expect(status()).toBe(0x24);
  });
});

describe('native mode', () => {
  it('tells by the Interrupt bits which channel has asserted the one line', async () => {
    const disks = [{ sectors: 1000 }, { channel: 1 as const, sectors: 1000 }];
    const { bench, controller, host } = await createBench({ mode: 'native', disks });
    const host1 = new Host(bench, controller, 1);
    const dma = new DmaHost(bench, controller, host);
    const dma1 = new DmaHost(bench, controller, host1, 1);
    controller.disk(1)?.medium.write(0, pattern(2, 5));
    dma1.regions([{ at: 0x2_0000, lengthBytes: 1024 }]);
    dma1.start({ command: 0xc8, count: 2 }, 'in');
    await bench.settle();
    expect(bench.levels[0]).toBe(true);
    expect([dma.status, dma1.status]).toEqual([0x20, 0x24]);
    expect(bench.ram.subarray(0x2_0000, 0x2_0400)).toEqual(pattern(2, 5));
    dma1.command = 0x08;
    dma1.status = 0x24;
    expect(bench.levels[0]).toBe(true);
    expect(host1.status).toBe(0x50);
    expect(bench.levels[0]).toBe(false);
  });

  it('has a bus master that can be moved, in compatibility mode too', async () => {
    const { simulation } = await createMachine();
    const pci = simulation.device.description;
    const config = simulation.machine.pciConfig('0000:00:01.0');
    expect(pci.spaces.find(({ name }) => name === 'busMaster')?.bar).toBe(4);
    config.write(0x20, 32, 0xffff_ffff);
    expect(config.read(0x20, 32)).toBe(0xffff_fff1);
    config.write(0x20, 32, 0xd000);
    expect(simulation.machine.ports.read(0xd002, 8)).toBe(0x20);
    expect(simulation.machine.ports.read(0x1f7, 8)).toBe(0x50);
  });
});
