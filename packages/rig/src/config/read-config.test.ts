import { fileURLToPath } from 'node:url';
import type { Backend, BackendEnvironment } from '@ring3/core';
import { expect, test } from 'vitest';
import { ModuleLoader } from '../modules/index.ts';
import type { ConfigError } from './config-error.ts';
import type { ConfigSource } from './config-source.ts';
import { FAKES, SIMULATED } from './fixtures/modules.ts';
import { formatProblem } from './problem.ts';
import { readConfig } from './read-config.ts';

const GOOD = fileURLToPath(new URL('fixtures/good.yaml', import.meta.url));
const loader = new ModuleLoader({ builtins: FAKES });

test('a good file becomes devices in the order in which they need each other', async () => {
  const config = await readConfig(GOOD, loader);

  expect(config).toMatchObject({ name: 'demo', isolation: 'process', runtimeDirectory: 'run', warnings: [] });
  expect(config.devices.map((device) => device.name)).toEqual(['bus0', 'gadget0', 'disk0']);
});

test('options come back with their defaults, the selector with the model of the driver', async () => {
  const { devices, backends } = await readConfig(GOOD, loader);
  const [bus, gadget, disk] = devices;

  expect(disk?.driverOptions).toEqual({ polled: false, retries: 5, mode: 'pio', timing: { resetMs: 50 } });
  expect(disk?.selector).toEqual({ model: 'disk', pace: 'instant', options: { image: 'demo.img' } });
  expect(bus?.selector).toMatchObject({ model: 'bus' });
  expect(bus?.description.spaces).toEqual([{ kind: 'memory', bar: 0, start: 0x40000000n, sizeBytes: 4096 }]);
  expect(gadget?.services).toEqual({ bus: 'bus0/cs1' });
  expect(devices.map((device) => device.backend)).toEqual(Array(3).fill(backends.get('simulated')));
});

test('exports name their device and keep their options', async () => {
  const { exports } = await readConfig(GOOD, loader);

  expect(exports).toMatchObject([
    {
      type: 'nbd',
      service: 'disk0/disk0',
      device: 'disk0',
      options: { name: 'disk', socket: 'demo.sock', readOnly: false },
    },
  ]);
});

const DISK = { driver: 'disk', backend: { type: 'simulated' } };

/** Reads a configuration that is an object. @returns what is wrong with it, line by line. */
function problemsOf(source: ConfigSource): Promise<string[]> {
  return readConfig(source, loader).then(
    () => [],
    (error: ConfigError) => error.problems.map(formatProblem),
  );
}

test('an object has no lines, only paths', async () => {
  const problems = await problemsOf({
    value: { version: 1, devices: { disk0: { ...DISK, options: { retires: 1 } } } },
  });

  expect(problems).toEqual(['devices.disk0.options.retires: unknown key "retires"; did you mean "retries"?']);
});

test('settings replace what the file says, and a wrong one is not blamed on the file', async () => {
  const { devices } = await readConfig(
    { file: GOOD, set: { 'devices.disk0.options.retries': 7, 'exports.0.name': 'x' } },
    loader,
  );
  const problems = await problemsOf({ file: GOOD, set: { 'devices.disk0.options.retries': 99 } });

  expect(devices.at(-1)?.driverOptions).toMatchObject({ retries: 7 });
  expect(problems).toEqual(['--set: devices.disk0.options.retries: expected at most 10, got 99']);
});

test('a configuration that is refused tells of its devices what could be found out', async () => {
  const value = { version: 1, devices: { disk0: { ...DISK, options: { retires: 1 } }, other: { driver: 'nothing' } } };
  const error = await readConfig({ value }, loader).catch((reason: ConfigError) => reason);

  expect(error.devices).toMatchObject([
    { name: 'disk0', backendType: 'simulated', raw: value.devices.disk0, description: { simulated: true } },
    { name: 'other', raw: value.devices.other },
  ]);
});

test('a driver on a device that it does not claim to know is a warning with its place', async () => {
  const config = await readConfig({ file: GOOD, set: { 'devices.disk0.backend.options.class': 0x020000 } }, loader);

  expect(config.warnings.map(formatProblem)).toEqual([
    expect.stringMatching(
      /good\.yaml:14:5: devices\.disk0\.backend: the driver disk does not say that it can drive PCI 1234:0001 class 0x020000$/,
    ),
  ]);
});

test('a configuration without devices is good, with a warning', async () => {
  const config = await readConfig({ value: { version: 1, devices: {} } }, loader);

  expect(config.warnings.map(formatProblem)).toEqual(['devices: there are no devices']);
});

test('the name is that of the file, made fit', async () => {
  const value = { version: 1, devices: {} };

  expect(await readConfig({ file: 'rigs/My Rig_2.yaml', value }, loader)).toMatchObject({ name: 'my-rig-2' });
  expect(await readConfig({ value }, loader)).toMatchObject({ name: 'rig' });
});

test('what has no value counts as left out', async () => {
  const device = { ...DISK, options: null, services: null };

  expect(await problemsOf({ value: { version: 1, devices: { disk0: device }, exports: null } })).toEqual([]);
});

test('names with a path start at the folder of the file', async () => {
  const blinker = { driver: './drivers/blinker.ts', backend: { type: 'simulated', model: 'gadget' } };
  const file = fileURLToPath(new URL('fixtures/broken/rig.yaml', import.meta.url));
  const config = await readConfig({ file, value: { version: 1, devices: { led: blinker } } }, loader);

  expect(config.devices[0]?.driver.name).toBe('blinker');
});

/** A loader whose backend `simulated` is changed. */
function loaderWith(change: (backend: Backend) => Partial<Backend>): ModuleLoader {
  const create = (environment: BackendEnvironment): Backend => {
    const backend = SIMULATED.create(environment) as Backend;
    return { ...backend, ...change(backend) };
  };
  const changed = async () => ({ default: { ...SIMULATED, create } });
  return new ModuleLoader({ builtins: { ...FAKES, backends: { simulated: changed } } });
}

test('the backends of a configuration that is refused are closed, those of a good one are not', async () => {
  const open = new Set<Backend>();
  const counting = loaderWith((backend) => {
    open.add(backend);
    return { close: async () => void open.delete(backend) };
  });

  await readConfig(GOOD, counting);
  expect(open.size).toBe(1);
  await readConfig({ file: GOOD, set: { nmae: 1 } }, counting).catch(() => {});
  expect(open.size).toBe(1);
});

test('a backend that breaks is a problem of the device that asked it', async () => {
  const breaking = loaderWith(() => ({ describe: () => Promise.reject(new TypeError('x is undefined')) }));

  await expect(readConfig(GOOD, breaking)).rejects.toThrow(
    /good\.yaml:14:5: devices\.disk0\.backend: TypeError: x is undefined/,
  );
});
