import simBackend, { type FaultPlan, type Simulation, simulate } from '@ring3/backend-sim';
import { isDeviceError, Scope, ServiceDirectory, SILENT } from '@ring3/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { edu, FACTORIAL_UNIT, type FactorialUnit } from './index.ts';
import model, { optionsSchema } from './model/index.ts';
import { eduSuite } from './testing/edu-suite.ts';

const models = { edu: async () => ({ default: model }) };
eduSuite({ name: 'simulator, instant', module: simBackend, selector: { pace: 'instant' }, models });
eduSuite({
  name: 'simulator, slow device in real time',
  module: simBackend,
  selector: { pace: 'paced', options: { computeUs: 1000 } },
  models,
});

/** The driver on a simulated device of its own, which a fault plan may break. */
async function attach(
  faults: FaultPlan = {},
  { interrupt = true, computeUs = 20 } = {},
): Promise<{ readonly sim: Simulation; readonly unit: FactorialUnit }> {
  const sim = await simulate(model, optionsSchema.parse({ computeUs }), { faults });
  const scope = new Scope('edu0');
  onTestFinished(async () => {
    await sim.run(scope.close());
    await sim.close();
  });
  const services = new ServiceDirectory();
  const environment = { name: 'edu0', clock: sim.clock, log: SILENT, services, simulated: true };
  const irq = interrupt ? sim.interrupt() : undefined;
  await edu.attach({ registers: sim.memory('registers'), irq, ...environment }, {}, scope);
  return { sim, unit: services.get(FACTORIAL_UNIT, 'unit0') };
}

describe('edu: what can go wrong', () => {
  it('polls the status where the device has no interrupt', async () => {
    const { sim, unit } = await attach({}, { interrupt: false, computeUs: 3000 });
    expect(unit.byInterrupt).toBe(false);
    expect(await sim.run(unit.factorial(10))).toBe(3_628_800);
    await expect(unit.raise(1)).rejects.toThrow('no interrupt');
  });

  it('a lost interrupt ends in a timeout that says so, and the next computation is right', async () => {
    const { sim, unit } = await attach({ interrupts: [{ nth: 1, lose: true }] });
    await expect(sim.run(unit.raise(4))).rejects.toSatisfy((error) => isDeviceError(error, 'timeout'));
    expect(await sim.run(unit.factorial(5))).toBe(120);
  });

  it('leaves an interrupt alone that is not its own', async () => {
    const { sim, unit } = await attach({ spurious: [{ atUs: 50 }] });
    expect(await sim.run(unit.factorial(5))).toBe(120);
    await sim.run(new Promise<void>((resolve) => void sim.clock.after(100, resolve)));
    expect(sim.interrupt().statistics).toMatchObject({ handled: 1, notMine: 1 });
  });

  it('takes each interrupt back once, and the line is low after it', async () => {
    const { sim, unit } = await attach();
    for (let n = 0; n < 10; n++) await sim.run(unit.factorial(n));
    expect(sim.interrupt().statistics).toEqual({ events: 10, handled: 10, notMine: 0, storms: 0 });
  });

  it('refuses another device', async () => {
    const faults: FaultPlan = { registers: [{ offset: 0x00, access: 'read', value: 0x1234_5678 }] };
    await expect(attach(faults)).rejects.toThrow('no edu device: its identification reads 0x12345678');
  });

  it('refuses a device that does not live', async () => {
    const faults: FaultPlan = { registers: [{ offset: 0x04, access: 'read', stuckBits: { mask: 1, value: 1 } }] };
    await expect(attach(faults)).rejects.toThrow(/edu: the complement of 0x\w+ reads 0x/);
  });

  it('a device that is pulled out ends what waits', async () => {
    const { sim, unit } = await attach({}, { computeUs: 1_000_000 });
    const waiting = unit.factorial(5);
    waiting.catch(() => {});
    sim.clock.after(1000, () => sim.removeDevice('pulled out'));
    await expect(sim.run(waiting)).rejects.toSatisfy((error) => isDeviceError(error, 'gone'));
  });
});
