import { isDeviceError } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import type { ModelPins } from '../model/device-model.ts';
import { simulate } from '../simulate.ts';
import { scratchModel } from '../testing/scratch-model.ts';
import type { DmaFault } from './plan.ts';
import { FAULT_PLAN } from './schema.ts';

/** A device that may be bus master, its memory port, and 16 bytes of memory that count from 0. */
async function withFaults(dma: readonly DmaFault[], seed = 1) {
  const seen: { pins?: ModelPins } = {};
  const master = {
    ...scratchModel,
    describe: () => ({ ...scratchModel.describe({}), busMaster: true }),
    create: (pins: ModelPins) => {
      seen.pins = pins;
      return scratchModel.create(pins, {});
    },
  };
  const simulation = await simulate(master, {}, { pace: 'manual', faults: { dma }, seed });
  const { bytes, busAddress } = simulation.device.openDma().allocate(16);
  bytes.set(bytes.map((_, index) => index));
  if (seen.pins === undefined) throw new Error('the model was not created');
  const { memory } = seen.pins;
  return {
    simulation,
    bytes,
    read: (at: number, lengthBytes: number) => {
      const into = new Uint8Array(lengthBytes);
      return { answered: memory.read(busAddress + BigInt(at), into), bytes: [...into] };
    },
    write: (at: number, ...values: number[]) => memory.write(busAddress + BigInt(at), Uint8Array.from(values)),
  };
}

describe('a transfer', () => {
  it('that is aborted is answered by nobody', async () => {
    const { bytes, read, write } = await withFaults([{ nth: 2, abort: true }]);
    expect(read(1, 2)).toEqual({ answered: true, bytes: [1, 2] });
    expect(read(1, 2)).toEqual({ answered: false, bytes: [0xff, 0xff] });
    expect(read(1, 2).answered).toBe(true);
    const { bytes: others, write: writeAborted } = await withFaults([{ direction: 'write', abort: true }]);
    expect(writeAborted(0, 9)).toBe(false);
    expect(others[0]).toBe(0);
    expect(write(0, 9)).toBe(true);
    expect(bytes[0]).toBe(9);
  });

  it('that is lost is taken for done', async () => {
    const { bytes, read, write } = await withFaults([{ lose: true }]);
    expect(read(1, 2)).toEqual({ answered: true, bytes: [0xff, 0xff] });
    expect(write(0, 9)).toBe(true);
    expect(bytes[0]).toBe(0);
  });

  it('that is stale arrives with the next one, or gives what the one before brought', async () => {
    const { bytes, read, write } = await withFaults([
      { direction: 'write', nth: 1, stale: true },
      { direction: 'read', nth: 2, stale: true },
    ]);
    expect(write(3, 9)).toBe(true);
    expect(bytes[3]).toBe(3);
    expect(read(2, 2).bytes).toEqual([2, 9]);
    expect(bytes[3]).toBe(9);
    expect(read(8, 3).bytes).toEqual([2, 9, 2]);
    expect(read(8, 3).bytes).toEqual([8, 9, 10]);
  });

  it('that is stale has zeros in front of it at first', async () => {
    const { read } = await withFaults([{ stale: true }]);
    expect(read(4, 2)).toEqual({ answered: true, bytes: [0, 0] });
  });

  it('that is delayed stalls the bus, and a device that goes meanwhile gets no answer', async () => {
    const { simulation, read } = await withFaults([{ delayUs: 30 }]);
    read(0, 1);
    expect(simulation.clock.nowUs()).toBe(30);
    simulation.clock.afterInDevice(10, () => simulation.removeDevice());
    expect(read(0, 1).answered).toBe(false);
  });

  it('has bits of its first byte inverted', async () => {
    const { bytes, read, write } = await withFaults([{ xor: 0x81 }]);
    expect(read(2, 2).bytes).toEqual([0x83, 3]);
    const from = Uint8Array.of(0x01);
    expect(write(2, ...from)).toBe(true);
    expect(bytes[2]).toBe(0x80);
  });

  it('is in the trace with its place, and chance depends on the seed only', async () => {
    const run = async (seed: number) => {
      const { simulation, read } = await withFaults([{ probability: 0.5, lose: true, delayUs: 1 }], seed);
      for (let transfer = 0; transfer < 40; transfer++) read(0, 4);
      return simulation.faults.toString();
    };
    const trace = await run(1);
    expect(trace.split('\n')[0]).toMatch(/^\d+ us: transfer read 0x10000000, 4 bytes: delayUs\+lose$/);
    expect(await run(1)).toBe(trace);
    expect(await run(2)).not.toBe(trace);
  });
});

describe('a plan for transfers', () => {
  it.each([
    [{ dma: [{ direction: 'read', nth: 1 }] }, 'says where, but not what'],
    [{ dma: [{ nth: 1, every: 2, abort: true }] }, 'exclude each other'],
    [{ dma: [{ direction: 'in', abort: true }] }, 'Invalid option'],
  ])('%j is refused: %s', (plan, message) => {
    const { issues } = FAULT_PLAN['~standard'].validate(plan) as { issues?: { message: string }[] };
    expect(issues?.[0]?.message).toContain(message);
  });

  it('is refused for a device that makes none', async () => {
    const plan = { dma: [{ abort: true as const }] };
    expect(FAULT_PLAN.safeParse(plan).success).toBe(true);
    const refused = simulate(scratchModel, {}, { faults: plan });
    await expect(refused).rejects.toSatisfy((error) => isDeviceError(error, 'config'));
    await expect(refused).rejects.toThrow('makes none by itself');
  });
});
