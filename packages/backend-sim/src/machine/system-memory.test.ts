import { describe, expect, it } from 'vitest';
import { defineModel, type ModelPins } from '../model/index.ts';
import { type SimulateOptions, simulate } from '../simulate.ts';

/** A PCI function that shows what it gets. */
async function start(settings: SimulateOptions = {}, busMaster = true) {
  const seen: { pins?: ModelPins } = {};
  const { options: _, ...model } = {
    name: 'master',
    options: undefined,
    describe: () => ({
      identity: { pci: { vendorId: 0x1234, deviceId: 1, classCode: 0xff0000, revision: 0 } },
      busMaster,
      spaces: [{ name: 'regs', kind: 'memory' as const, bar: 0, start: 0xe000_0000n, sizeBytes: 4096 }],
      interrupts: [],
    }),
    create: (pins: ModelPins) => {
      seen.pins = pins;
      return { read: () => 0, write: () => {} };
    },
  };
  const schema = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } } as const;
  const simulation = await simulate(defineModel<unknown>({ ...model, options: schema }), {}, settings);
  if (seen.pins === undefined) throw new Error('the model was not created');
  return { simulation, memory: seen.pins.memory };
}

describe('memory of the simulated machine', () => {
  it('is shared by processor and device, once the device may be bus master', async () => {
    const { simulation, memory } = await start();
    const { device } = simulation;
    expect(device.description.dma).toEqual({ memory: 'simulated memory', sizeBytes: 8 * 2 ** 20 });
    const into = new Uint8Array(4);
    expect(memory.read(0x1000_0000n, into)).toBe(false);
    expect([...into]).toEqual([0xff, 0xff, 0xff, 0xff]);
    const buffer = device.openDma().allocate(64);
    buffer.bytes.set([1, 2, 3, 4]);
    expect(memory.read(buffer.busAddress, into)).toBe(true);
    expect([...into]).toEqual([1, 2, 3, 4]);
    expect(memory.write(buffer.busAddress + 60n, Uint8Array.of(9, 8, 7, 6))).toBe(true);
    expect([...buffer.bytes.subarray(60)]).toEqual([9, 8, 7, 6]);
    device.silence();
    expect(memory.write(buffer.busAddress, Uint8Array.of(0))).toBe(false);
    expect(buffer.bytes[0]).toBe(1);
    await simulation.close();
    expect(simulation.machine.systemMemory.pool.usedBytes).toBe(0);
  });

  it('ends where it ends, and with the device', async () => {
    const { simulation, memory } = await start({ memory: { sizeBytes: 4096 } });
    const { busAddress } = simulation.device.openDma().allocate(4096);
    const two = new Uint8Array(2);
    expect(memory.read(busAddress + 4094n, two)).toBe(true);
    expect(memory.read(busAddress + 4095n, two)).toBe(false);
    expect(memory.write(busAddress - 1n, two)).toBe(false);
    simulation.removeDevice();
    expect(memory.write(busAddress, two)).toBe(false);
    await simulation.close();
  });

  it('shows old data to who forgets a sync, where it is not coherent', async () => {
    const { simulation, memory } = await start({ memory: { coherent: false } });
    const buffer = simulation.device.openDma().allocate(8);
    const into = new Uint8Array(2);
    buffer.bytes.fill(5);
    memory.read(buffer.busAddress, into);
    expect([...into]).toEqual([0, 0]);
    buffer.syncForDevice();
    memory.read(buffer.busAddress, into);
    expect([...into]).toEqual([5, 5]);
    memory.write(buffer.busAddress, Uint8Array.of(7));
    expect(buffer.bytes[0]).toBe(5);
    buffer.syncForCpu(0, 1);
    expect(buffer.bytes[0]).toBe(7);
    await simulation.close();
  });

  it('is not there for a device that makes no transfers', async () => {
    const { simulation, memory } = await start({}, false);
    expect(simulation.device.description.dma).toBeUndefined();
    expect(() => simulation.device.openDma()).toThrow(/makes no transfers to memory/);
    expect(memory.read(0x1000_0000n, new Uint8Array(1))).toBe(false);
    await simulation.close();
  });
});
