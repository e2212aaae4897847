import {
  type BackendModule,
  DeviceError,
  isDeviceError,
  type OpenDevice,
  type RegisterSpace,
  SILENT,
} from '@ring3/core';
import { openRig, type Rig } from '@ring3/rig';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { edu, FACTORIAL_UNIT, type FactorialUnit } from '../index.ts';

/** Where an edu device is, and how it is reached. */
export interface EduHarness {
  /** For the report. */
  readonly name: string;
  /** The backend's default export. */
  readonly module: BackendModule;
  /** What a configuration says beside `type:`. */
  readonly selector: Readonly<Record<string, unknown>>;
  /** Modules that the backend loads by name: a device model. */
  readonly models?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Why the driver gets no interrupt, where it gets none. */
  readonly noInterrupt?: string;
  /** How often accesses are repeated. Default 1000. */
  readonly repetitions?: number;
}

const FACTORIALS = [1, 1, 2, 6, 24, 120, 720, 5040, 40_320, 362_880, 3_628_800, 39_916_800, 479_001_600];

/** What the driver and an edu device owe together: the same on the simulator and on a real kernel. */
export function eduSuite(harness: EduHarness): void {
  const { name, noInterrupt, repetitions = 1000 } = harness;
  const config = {
    version: 1,
    devices: { edu0: { driver: 'edu', backend: { type: harness.module.type, ...harness.selector } } },
  };
  const builtins = {
    drivers: { edu: async () => ({ default: edu }) },
    models: harness.models ?? {},
    backends: { [harness.module.type]: async () => ({ default: harness.module }) },
  };
  const open = () => openRig({ value: config }, { builtins });

  describe(`edu: ${name}`, () => {
    describe('the driver', () => {
      let rig: Rig;
      let unit: FactorialUnit;
      beforeEach(async () => {
        rig = await open();
        unit = rig.get(FACTORIAL_UNIT, 'unit0');
      });
      afterEach(() => rig.close());

      it('finds a device of version 1.0', () => {
        expect(unit).toMatchObject({ version: '1.0', byInterrupt: noInterrupt === undefined });
      });

      it('computes every factorial that fits 32 bits', async () => {
        for (const [n, expected] of FACTORIALS.entries()) expect(await unit.factorial(n), `${n}!`).toBe(expected);
      });

      it('refuses what does not fit, and goes on', async () => {
        for (const n of [13, -1, 2.5, Number.NaN]) await expect(unit.factorial(n)).rejects.toThrow(RangeError);
        expect(await unit.factorial(12)).toBe(479_001_600);
      });

      it('answers calls that come together, each with its own result', async () => {
        const numbers = Array.from({ length: 40 }, (_, index) => (index * 7) % 13);
        const results = await Promise.all(numbers.map((n) => unit.factorial(n)));
        expect(results).toEqual(numbers.map((n) => FACTORIALS[n]));
      });

      it.skipIf(noInterrupt !== undefined)(`sees each of the 32 causes${because(noInterrupt)}`, async () => {
        for (let bit = 0; bit < 32; bit++) expect(await unit.raise(2 ** bit)).toBe(2 ** bit);
        expect(await unit.raise(0xffff_ffff)).toBe(0xffff_ffff);
      });

      it.skipIf(noInterrupt === undefined)('says that there is no interrupt where there is none', async () => {
        await expect(unit.raise(1)).rejects.toSatisfy((error) => isDeviceError(error, 'unsupported'));
      });

      it('answers what was asked before it is stopped', async () => {
        const asked = [3, 4, 5].map((n) => unit.factorial(n));
        await rig.close();
        expect(await Promise.all(asked)).toEqual([6, 24, 120]);
      });
    });

    it('attaches again and again', async () => {
      for (let cycle = 0; cycle < 10; cycle++) {
        const rig = await open();
        expect(await rig.get(FACTORIAL_UNIT, 'unit0').factorial(cycle)).toBe(FACTORIALS[cycle]);
        await rig.close();
      }
    });

    describe('the registers', () => {
      it('answer every access by itself: each value written comes back inverted', async () => {
        const { registers } = await openRegisters(harness);
        let wrong = 0;
        for (let count = 0, value = 1; count < repetitions; count++) {
          value = Math.imul(value, 0x9e37_79b1) >>> 0;
          registers.write32(0x04, value);
          if (registers.read32(0x04) !== ~value >>> 0) wrong++;
        }
        expect(wrong).toBe(0);
      });

      it('are quiet when the driver was stopped', async () => {
        const rig = await open();
        await rig.get(FACTORIAL_UNIT, 'unit0').factorial(5);
        await rig.close();
        const { registers } = await openRegisters(harness);
        expect(registers.read32(0x20)).toBe(0);
        expect(registers.read32(0x24)).toBe(0);
      });
    });
  });
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` [skipped: ${reason}]`;
}

/** BAR 0 without a driver, until the test ends. */
async function openRegisters({ module, selector, models }: EduHarness): Promise<{ readonly registers: RegisterSpace }> {
  const backend = module.create({
    log: SILENT,
    resolvePath: (path) => path,
    loadModule: async (model) => models?.[model]?.(),
  });
  onTestFinished(() => backend.close());
  const checked = await module.selector['~standard'].validate(withModel(selector, models));
  if (checked.issues !== undefined) throw new Error(JSON.stringify(checked.issues));
  const device: OpenDevice = await backend.open(checked.value);
  onTestFinished(() => device.close());
  const [bar0] = device.description.spaces;
  if (bar0 === undefined) throw new DeviceError('not-found', 'the device has no registers');
  return { registers: await device.openSpace(bar0) };
}

/** What a rig fills in. */
function withModel(selector: EduHarness['selector'], models: EduHarness['models']): unknown {
  const [model] = Object.keys(models ?? {});
  return model === undefined ? selector : { model, ...selector };
}
