import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ModuleLoader } from '../modules/index.ts';
import { FAKES } from './fixtures/modules.ts';
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
