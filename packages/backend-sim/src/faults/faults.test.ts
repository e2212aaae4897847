import { isDeviceError } from '@ring3/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../simulate.ts';
import { scratchModel } from '../testing/scratch-model.ts';
import type { FaultPlan, RegisterFault } from './plan.ts';
import { FAULT_PLAN } from './schema.ts';

const SCRATCH = 0x04;
const FIFO = 0x1c;

async function withFaults(faults: FaultPlan, seed = 1) {
  const sim = await simulate(scratchModel, {}, { pace: 'manual', faults, seed });
  return { sim, registers: sim.memory('registers'), ports: sim.ports('ports') };
}

const register = (fault: RegisterFault) => withFaults({ registers: [fault] });

describe('an access', () => {
  it('that is dropped never reaches the device: a read gives ones', async () => {
    const { registers } = await register({ offset: SCRATCH, nth: 2, drop: true });
    registers.write32(SCRATCH, 1);
    registers.write32(SCRATCH, 2);
    expect(registers.read32(SCRATCH)).toBe(1);
    const { registers: others } = await register({ offset: FIFO, access: 'read', nth: 1, drop: true });
    others.write8(FIFO, 7);
    expect([others.read8(FIFO), others.read8(FIFO)]).toEqual([0xff, 7]);
  });

  it('that is duplicated reaches the device twice', async () => {
    const { registers } = await register({ offset: FIFO, nth: 1, duplicate: true });
    registers.write16(FIFO, 0x0201);
    expect(registers.read32(0x18)).toBe(4);
    const { registers: others } = await register({ offset: FIFO, access: 'read', nth: 1, duplicate: true });
    others.write32(FIFO, 0x0403_0201);
    expect(others.read8(FIFO)).toBe(2);
  });

  it('that is delayed stalls the bus', async () => {
    const { sim, registers } = await register({ access: 'read', delayUs: 30 });
    registers.write32(SCRATCH, 1);
    registers.read32(SCRATCH);
    expect(sim.clock.nowUs()).toBe(30.2);
  });

  it('has its value replaced, inverted, or with bits that are stuck', async () => {
    const value = await register({ offset: SCRATCH, access: 'read', value: 0x1_0000_00ff });
    expect(value.registers.read8(SCRATCH)).toBe(0xff);
    const xor = await register({ offset: SCRATCH, access: 'write', xor: 0x8000_0001 });
    xor.registers.write32(SCRATCH, 0);
    expect(xor.registers.read32(SCRATCH)).toBe(0x8000_0001);
    const stuck = await register({ offset: SCRATCH, access: 'read', stuckBits: { mask: 0xf0, value: 0x50 } });
    stuck.registers.write32(SCRATCH, 0xffff_ff0f);
    expect(stuck.registers.read32(SCRATCH)).toBe(0xffff_ff5f);
  });

  it('is chosen by space, direction, width, and how often it came', async () => {
    const { registers, ports } = await register({ space: 'ports', access: 'read', width: 8, every: 3, value: 0 });
    ports.write32(SCRATCH, 0x55);
    expect(registers.read8(SCRATCH)).toBe(0x55);
    expect(ports.read16(SCRATCH)).toBe(0x55);
    const seen = Array.from({ length: 7 }, () => ports.read8(SCRATCH));
    expect(seen).toEqual([0x55, 0x55, 0, 0x55, 0x55, 0, 0x55]);
  });

  it('of a FIFO with a fault is done word by word, and only there', async () => {
    const { registers } = await register({ offset: FIFO, access: 'read', nth: 2, xor: 0xff });
    registers.writeFifo16(FIFO, Uint8Array.of(1, 0, 2, 0, 3, 0));
    const into = new Uint8Array(6);
    registers.readFifo16(FIFO, into);
    expect([...into]).toEqual([1, 0, 2 ^ 0xff, 0, 3, 0]);
  });

  it('without a rule for its space goes the direct way', async () => {
    const { sim } = await withFaults({ registers: [{ space: 'ports', value: 0 }] });
    const [direct] = sim.machine.devices;
    expect(direct?.access('registers').constructor.name).toBe('ModelAccess');
    expect(direct?.access('ports').constructor.name).toBe('FaultyAccess');
  });
});

describe('an interrupt', () => {
  async function counting(faults: FaultPlan, index = 0) {
    const { sim, registers } = await withFaults(faults);
    const atUs: number[] = [];
    sim.interrupt(index).attach(({ atUs: now }) => {
      atUs.push(now);
      if (index !== 0) return 'handled';
      const mine = registers.read32(0x08) !== 0;
      registers.write32(0x08, 3);
      return mine ? 'handled' : 'not-mine';
    });
    sim.interrupt(index).enable();
    const trigger = async () => {
      registers.write32(0x10, 1 << index);
      await sim.clock.advance(100);
    };
    return { sim, atUs, trigger, statistics: () => sim.interrupt(index).statistics };
  }

  it('gets lost, and only the one that is named', async () => {
    const { sim, atUs, trigger } = await counting({ interrupts: [{ nth: 1, lose: true }] });
    await trigger();
    expect(atUs).toEqual([]);
    sim.memory('registers').write32(0x08, 3);
    await trigger();
    expect(atUs).toHaveLength(1);
  });

  it('comes late', async () => {
    const { atUs, trigger } = await counting({ interrupts: [{ nth: 1, delayUs: 40 }] });
    await trigger();
    expect(atUs).toEqual([42.1]);
  });

  it('comes late as an edge, too', async () => {
    const { atUs, trigger } = await counting({ interrupts: [{ index: 1, delayUs: 40 }] }, 1);
    await trigger();
    expect(atUs).toEqual([42.1]);
  });

  it('comes twice: the second time nobody has a cause', async () => {
    const { trigger, statistics } = await counting({ interrupts: [{ nth: 1, duplicate: true }] });
    await trigger();
    expect(statistics()).toMatchObject({ handled: 1, notMine: 1 });
  });

  it('comes twice as an edge and as a message', async () => {
    for (const index of [1, 2]) {
      const { atUs, trigger } = await counting({ interrupts: [{ index, nth: 1, duplicate: true }] }, index);
      await trigger();
      expect(atUs).toHaveLength(2);
    }
  });

  it('comes without a cause, once or again and again', async () => {
    const once = await counting({ spurious: [{ atUs: 50 }] });
    await once.sim.clock.advance(1000);
    expect(once.statistics()).toMatchObject({ handled: 0, notMine: 1 });
    const often = await counting({ spurious: [{ index: 1, atUs: 50, everyUs: 100, times: 5 }] }, 1);
    await often.sim.clock.advance(1000);
    expect(often.atUs).toHaveLength(5);
  });
});

describe('the device', () => {
  it('is removed at a time', async () => {
    const { sim, registers } = await withFaults({ removal: { atUs: 100 } });
    await sim.clock.advance(99);
    expect(registers.read32(0)).toBe(0x5343_5254);
    await sim.clock.advance(2);
    expect(registers.read32(0)).toBe(0xffff_ffff);
    expect(await sim.device.gone).toBe('the device was removed');
  });

  it('is removed at the n-th access, counted over spaces and words of a FIFO', async () => {
    const { sim, registers, ports } = await withFaults({ removal: { atAccess: 8 } });
    registers.read32(0);
    ports.read32(0);
    ports.writeFifo8(FIFO, Uint8Array.of(1, 2, 3));
    const into = new Uint8Array(4);
    ports.readFifo8(FIFO, into);
    expect([...into]).toEqual([1, 2, 0xff, 0xff]);
    expect(sim.faults.toString()).toBe('3.1 us: removal at access 8');
  });

  it('loses its power at a time', async () => {
    const { sim, registers } = await withFaults({ powerCut: { atUs: 100 } });
    registers.write32(SCRATCH, 5);
    await sim.clock.advance(200);
    expect(sim.model.read('registers', SCRATCH, 32)).toBe(0);
    expect(await sim.device.gone).toBe('the power was cut');
  });
});

describe('chance', () => {
  it('is the same for the same seed, and another for another', async () => {
    const run = async (seed: number, probability: number) => {
      const faults = {
        registers: [
          { probability, xor: 1 },
          { probability: probability / 2, drop: true as const },
        ],
      };
      const { sim, registers } = await withFaults(faults, seed);
      for (let access = 0; access < 60; access++) registers.write32(SCRATCH, access);
      return { trace: sim.faults.toString(), last: registers.read32(SCRATCH) };
    };
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.double({ min: 0.1, max: 0.9, noNaN: true }), async (seed, probability) => {
        expect(await run(seed, probability)).toEqual(await run(seed, probability));
      }),
      { numRuns: 30 },
    );
    expect((await run(1, 0.5)).trace).not.toBe((await run(2, 0.5)).trace);
  });

  it('is not the same for two rules of one plan', async () => {
    const halves = [
      { probability: 0.5, xor: 1 },
      { probability: 0.5, xor: 2 },
    ];
    const { sim, registers } = await withFaults({ registers: halves });
    for (let access = 0; access < 64; access++) registers.write32(SCRATCH, 0);
    const hits = new Set(sim.faults.entries.map(({ what }) => /-> (.*):/.exec(what)?.[1]));
    expect([...hits].sort()).toEqual(['0x1', '0x2', '0x3']);
  });

  it('hits about as often as it should', async () => {
    const { sim, registers } = await register({ probability: 0.25, xor: 1 });
    for (let access = 0; access < 4000; access++) registers.read32(SCRATCH);
    expect(sim.faults.count / 4000).toBeCloseTo(0.25, 1);
  });
});

it('the trace keeps the last faults and counts all', async () => {
  const { sim, registers } = await register({ offset: SCRATCH, access: 'write', xor: 1 });
  for (let access = 0; access < 100; access++) registers.write32(SCRATCH, access);
  expect(sim.faults.count).toBe(100);
  expect(sim.faults.entries).toHaveLength(64);
  expect(sim.faults.entries.at(-1)?.what).toBe('write32 registers+0x4 0x63 -> 0x62: xor');
  expect(sim.faults.entries[0]?.what).toBe('write32 registers+0x4 0x24 -> 0x25: xor');
});

describe('a plan', () => {
  const problems = (plan: unknown) => FAULT_PLAN['~standard'].validate(plan) as { issues?: { message: string }[] };

  it('is accepted as the configuration writes it', () => {
    const plan = {
      registers: [{ space: 'command', offset: 7, access: 'read', nth: 3, stuckBits: { mask: 0x80, value: 0x80 } }],
      interrupts: [{ nth: 2, lose: true }],
      spurious: [{ atUs: 10, everyUs: 5 }],
      removal: { atAccess: 1000 },
      powerCut: { atUs: 5e6 },
    };
    expect(problems(plan).issues).toBeUndefined();
  });

  it.each([
    [{ registers: [{ offset: 7 }] }, 'says where, but not what'],
    [{ registers: [{ nth: 1, every: 2, drop: true }] }, 'exclude each other'],
    [{ registers: [{ nth: 0, drop: true }] }, '>0'],
    [{ registers: [{ width: 64, drop: true }] }, 'Invalid input'],
    [{ interrupts: [{ nth: 1 }] }, 'says where, but not what'],
    [{ removal: {} }, 'needs either atUs or atAccess'],
    [{ register: [] }, 'Unrecognized key'],
  ])('%j is refused: %s', (plan, message) => {
    expect(problems(plan).issues?.[0]?.message).toContain(message);
  });

  it('that names a space or an interrupt which the device does not have is refused', async () => {
    const space = withFaults({ registers: [{ space: 'command', drop: true }] });
    await expect(space).rejects.toSatisfy((error) => isDeviceError(error, 'config'));
    await expect(space).rejects.toThrow('a fault names space "command"; scratch@feb00000 has: registers, ports');
    await expect(withFaults({ spurious: [{ index: 3, atUs: 1 }] })).rejects.toThrow('has: 0, 1, 2');
  });
});
