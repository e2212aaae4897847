import {
  BLOCK_DEVICE,
  type BlockDevice,
  type Driver,
  defineDriver,
  interrupt,
  memory,
  optional,
  registers,
  service,
} from '@ring3/core';
import { MemoryDisk } from '@ring3/core/testing';
import { expect, it } from 'vitest';
import { openRig } from './rig.ts';
import { builtins, cardBackend, cards, type Events } from './test-rig.ts';

const disk = (): BlockDevice => new MemoryDisk({ blockCount: 8 });

/** A driver that remembers what it got, as any driver may. */
function driverWith<N extends Driver['needs']>(needs: N, got: Record<string, unknown>[] = []): Driver {
  return defineDriver({
    name: 'test',
    match: [],
    needs,
    provides: [BLOCK_DEVICE],
    attach: (handles) => void got.push({ ...handles }),
  }) as Driver;
}

it('gives a driver exactly what its manifest names', async () => {
  const events: Events = [];
  const got: Record<string, unknown>[] = [];
  const driver = driverWith({ command: registers({ bar: 0 }) }, got);
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend(events)) });
  const environment = ['name', 'clock', 'log', 'services', 'simulated'];
  expect(Object.keys(got[0] ?? {}).sort()).toEqual(['command', ...environment].sort());
  expect(events).toEqual(['open device', 'open command']);
  await rig.close();
});

it('leaves an optional need undefined where the device has nothing for it', async () => {
  const got: Record<string, unknown>[] = [];
  const driver = driverWith({ dma: optional(registers({ bar: 4 })), irq: optional(interrupt()) }, got);
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend([])) });
  expect(got[0]?.['dma']).toBeUndefined();
  expect(got[0]?.['irq']).toBeDefined();
  await rig.close();
});

it('gives a test what it puts in the place of a handle, and does not open the real one', async () => {
  const events: Events = [];
  const got: Record<string, unknown>[] = [];
  const driver = driverWith({ command: registers({ bar: 0 }), irq: interrupt() }, got);
  const mine = { mine: true };
  const rig = await openRig(cards('card0'), {
    builtins: builtins(driver, cardBackend(events)),
    replacements: { card0: { irq: mine } },
  });
  expect(got[0]?.['irq']).toBe(mine);
  expect(events).not.toContain('open interrupt');
  await rig.close();
});

it('stops the driver first, then makes the hardware quiet, then silences it, then closes it', async () => {
  const events: Events = [];
  const driver: Driver = {
    ...driverWith({ control: registers({ bar: 1 }) }),
    quiesce: () => [{ kind: 'write', space: 'control', width: 8, offset: 0, value: 2 }],
    attach: (_handles, _options, scope) => scope.defer('driver', () => void events.push('driver stopped')),
  };
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend(events)) });
  events.length = 0;
  await rig.close();
  expect(events).toEqual(['driver stopped', 'control[0] = 2', 'silence device', 'close device', 'close backend']);
});

it('holds the claims of a device as long as it is attached', async () => {
  const driver = driverWith({ command: registers({ bar: 0 }) });
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend([])) });
  expect(String(rig.claims)).toBe('test port\n01f0-01f7 : card0 command');
  await rig.close();
  expect(String(rig.claims)).toBe('');
});

it('names the device whose driver did not attach, and releases everything', async () => {
  const events: Events = [];
  const driver: Driver = {
    ...driverWith({ control: registers({ bar: 1 }) }),
    attach: () => {
      throw new RangeError('the card is upside down');
    },
  };
  const opening = openRig(cards('card0'), { builtins: builtins(driver, cardBackend(events)) });
  await expect(opening).rejects.toMatchObject({
    name: 'DeviceError',
    message: 'card0: driver test did not attach: the card is upside down',
  });
  expect(events.slice(-2)).toEqual(['close device', 'close backend']);
});

it('refuses the second of two devices on the same ports, and names the first', async () => {
  const driver = driverWith({ command: registers({ bar: 0 }) });
  const opening = openRig(cards('card0', 'card1'), { builtins: builtins(driver, cardBackend([])) });
  await expect(opening).rejects.toThrow(/devices\.card1.*card1 command cannot have 01f0-01f7: card0 command holds/);
});

it('says in the configuration check what a device does not have', async () => {
  const driver = driverWith({ window: memory({ bar: 0 }) });
  const opening = openRig(cards('card0'), { builtins: builtins(driver, cardBackend([])) });
  await expect(opening).rejects.toThrow('needs registers in memory at BAR 0; on card that is I/O ports');
});

it('finds a service by its short name while only one device has it', async () => {
  const driver: Driver = {
    ...driverWith({}),
    attach: ({ services }) => void services.publish(BLOCK_DEVICE, 'disk0', disk()),
  };
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend([])) });
  expect(rig.get(BLOCK_DEVICE, 'disk0')).toBe(rig.get(BLOCK_DEVICE, 'card0/disk0'));
  expect(() => rig.get(BLOCK_DEVICE, 'disk1')).toThrow(
    'no block-device named disk1; there is: block-device card0/disk0',
  );
  await rig.close();
});

it('gives a driver the service of another one, and starts the provider first', async () => {
  const got: Record<string, unknown>[] = [];
  const user = driverWith({ disk: service(BLOCK_DEVICE) }, got);
  const provider: Driver = {
    ...driverWith({}),
    attach: ({ services }) => void services.publish(BLOCK_DEVICE, 'disk0', disk()),
  };
  const rig = await openRig(
    {
      value: {
        version: 1,
        devices: {
          user: { driver: 'user', backend: { type: 'card' }, services: { disk: 'provider/disk0' } },
          provider: { driver: 'provider', backend: { type: 'card', slot: 2 } },
        },
      },
    },
    {
      builtins: {
        drivers: { user: async () => ({ default: user }), provider: async () => ({ default: provider }) },
        backends: { card: async () => ({ default: withoutAddresses(cardBackend([])) }) },
      },
    },
  );
  expect(got[0]?.['disk']).toBe(rig.get(BLOCK_DEVICE, 'provider/disk0'));
  expect(rig.devices.map((device) => device.name)).toEqual(['provider', 'user']);
  await rig.close();
});

it('says that a device host does not reach services of other devices', async () => {
  const user = driverWith({ disk: service(BLOCK_DEVICE) });
  const devices = {
    user: { driver: 'user', backend: { type: 'card' }, services: { disk: 'provider/disk0' } },
    provider: { driver: 'provider', backend: { type: 'card', slot: 2 } },
  };
  const programs = {
    drivers: { user: async () => ({ default: user }), provider: async () => ({ default: driverWith({}) }) },
    backends: { card: async () => ({ default: withoutAddresses(cardBackend([])) }) },
  };
  const opening = openRig({ value: { version: 1, devices } }, { builtins: programs, only: ['user'] });
  await expect(opening).rejects.toThrow('user needs provider/disk0: a device host does not reach');
});

it('stops the driver of a device that is gone, and withdraws its services', async () => {
  let remove: (reason: string) => void = () => {};
  const gone = new Promise<string>((resolve) => {
    remove = resolve;
  });
  const events: Events = [];
  const driver: Driver = {
    ...driverWith({}),
    attach: ({ services }) => void services.publish(BLOCK_DEVICE, 'disk0', disk()),
  };
  const rig = await openRig(cards('card0'), { builtins: builtins(driver, cardBackend(events, { gone })) });
  const [offer] = rig.services.list();
  remove('pulled out');
  expect(await rig.devices[0]?.gone).toBe('pulled out');
  expect(events).toContain('close device');
  expect(await offer?.withdrawn).toBe('the device is gone: pulled out');
  await rig.close();
});

/** Two cards would share their ports; these have none. */
function withoutAddresses(module: ReturnType<typeof cardBackend>): ReturnType<typeof cardBackend> {
  return {
    ...module,
    create: (environment) => {
      const backend = module.create(environment);
      return { ...backend, describe: async (selector) => ({ ...(await backend.describe(selector)), spaces: [] }) };
    },
  };
}
