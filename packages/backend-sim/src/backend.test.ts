import { type BackendEnvironment, isDeviceError, SILENT } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import backend, { SimBackend } from './index.ts';
import { defineModel } from './model/index.ts';
import * as scratch from './testing/index.ts';

function environment(modules: Record<string, unknown> = {}): BackendEnvironment {
  return {
    log: SILENT,
    resolvePath: (path) => `/etc/ring3/${path}`,
    loadModule: async (specifier) => {
      const found = { scratch, ...modules }[specifier];
      if (found === undefined) throw new Error(`Cannot find package '${specifier}'`);
      return found;
    },
  };
}

const OTHER = { memoryStart: 0xd000_0000n, portStart: 0xd000n };

describe('describe()', () => {
  it('says what there would be, without making it', async () => {
    let created = 0;
    const counted = {
      ...scratch.scratchModel,
      create: () => {
        created++;
        throw new Error('not now');
      },
    };
    const sim = new SimBackend(environment({ counted: { default: counted } }));
    const description = await sim.describe({ model: 'counted' });
    expect(description).toMatchObject({ id: 'scratch@feb00000', domain: 'sim', simulated: true });
    expect(description.spaces[1]).toEqual({ kind: 'port', bar: 1, name: 'ports', start: 0xc000n, sizeBytes: 64 });
    expect(description.interrupts[0]).toMatchObject({ index: 0, trigger: 'level', line: 'IRQ 10' });
    expect(created).toBe(0);
    expect(await sim.list()).toEqual([]);
  });

  it.each([
    [{}, 'config', 'no model is named'],
    [{ model: 'nothing' }, 'not-found', "the model nothing cannot be loaded: Cannot find package 'nothing'"],
    [{ model: 'empty' }, 'config', 'empty is no device model'],
    [{ model: 'scratch', options: 5 }, 'config', 'options of model scratch: expected an object'],
  ] as const)('of %j fails with %s', async (selector, code, message) => {
    const sim = new SimBackend(environment({ empty: {} }));
    const failed = sim.describe(selector);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.toSatisfy((error) => isDeviceError(error, code));
  });
});

describe('open()', () => {
  it('puts all devices on one machine with one clock, and lists them while they are open', async () => {
    const sim = new SimBackend(environment());
    const one = await sim.open({ model: 'scratch', pace: 'instant' });
    const two = await sim.open({ model: 'scratch', pace: 'instant', options: OTHER });
    expect(one.clock).toBe(two.clock);
    expect((await sim.list()).map(({ id }) => id)).toEqual(['scratch@feb00000', 'scratch@d0000000']);
    await one.close();
    expect((await sim.list()).map(({ id }) => id)).toEqual(['scratch@d0000000']);
    await sim.close();
    expect(await sim.list()).toEqual([]);
    await (await sim.open({ model: 'scratch', pace: 'instant' })).close();
  });

  it('runs at the pace of real time unless told otherwise, and at one pace only', async () => {
    const sim = new SimBackend(environment());
    await sim.open({ model: 'scratch' });
    expect(sim.machine?.clock.pace).toBe('paced');
    await expect(sim.open({ model: 'scratch', pace: 'instant', options: OTHER })).rejects.toThrow('use one pace');
    await sim.close();
  });

  it('refuses what is open already, naming the holder', async () => {
    const sim = new SimBackend(environment());
    await sim.open({ model: 'scratch' });
    await expect(sim.open({ model: 'scratch' })).rejects.toMatchObject({ code: 'busy' });
    await sim.close();
  });

  it('gives out the spaces and interrupts of the description, and nothing else', async () => {
    const sim = new SimBackend(environment());
    const device = await sim.open({ model: 'scratch', pace: 'instant' });
    const [memory, ports] = device.description.spaces;
    if (memory === undefined || ports === undefined) throw new Error('spaces are missing');
    const space = await device.openSpace(memory);
    expect(String(space)).toBe('MemoryRegion scratch@feb00000 registers at 0xfeb00000, 0x40 bytes, simulated');
    expect(String(await device.openSpace(ports))).toContain('IoPortSpace');
    expect(() => device.openSpace({ ...memory, start: 0n })).toThrow(/has no memory space registers at 0x0/);
    expect(() => device.openInterrupt({ index: 7, trigger: 'level' })).toThrow(/has no interrupt 7/);
    await device.close();
    expect(() => space.read32(0)).toThrow(/closed/);
    expect(() => device.openSpace(memory)).toThrow(/closed/);
  });

  it('hands the surroundings to the model, and closes it in the orderly way or like a plug that is pulled', async () => {
    const seen: string[] = [];
    const model = defineModel({
      name: 'box',
      options: scratch.scratchModel.options,
      describe: () => ({ identity: { name: 'box' }, spaces: [], interrupts: [] }),
      create: ({ resolvePath }) => {
        seen.push(resolvePath('disk.img'));
        return {
          read: () => 0,
          write: () => {},
          cutPower: () => seen.push('cut'),
          close: async () => void seen.push('closed'),
        };
      },
    });
    const sim = new SimBackend(environment({ box: { default: model } }));
    await (await sim.open({ model: 'box' })).close();
    await (await sim.open({ model: 'box', powerCutOnClose: true })).close();
    expect(seen).toEqual(['/etc/ring3/disk.img', 'closed', '/etc/ring3/disk.img', 'cut', 'closed']);
  });

  it('brings the faults of the configuration, by their seed', async () => {
    const sim = new SimBackend(environment());
    const faults = { registers: [{ offset: 0, value: 0xbad }] };
    const device = await sim.open({ model: 'scratch', pace: 'instant', faults, seed: 7 });
    const [memory] = device.description.spaces;
    expect(memory && (await device.openSpace(memory)).read32(0)).toBe(0xbad);
  });
});

it('the selector refuses what it does not know', async () => {
  const validate = (value: unknown) => backend.selector['~standard'].validate(value);
  expect(await validate({ model: 'scratch', pace: 'paced', faults: { registers: [{ drop: true }] } })).toHaveProperty(
    'value',
  );
  expect(await validate({ modle: 'scratch' })).toMatchObject({ issues: [{ message: 'Unrecognized key: "modle"' }] });
  expect(await validate({ faults: { registers: [{}] } })).toMatchObject({
    issues: [{ path: ['faults', 'registers', 0] }],
  });
});
