import { DeviceError, type Driver, defineDriver, registers, SILENT } from '@ring3/core';
import { expect, it } from 'vitest';
import { readConfig } from './config/index.ts';
import { ModuleLoader } from './modules/index.ts';
import { quiesceDevice } from './quiesce-device.ts';
import { openCheckedRig, openRig } from './rig.ts';
import { builtins, cardBackend, cards, type Events } from './test-rig.ts';

const driver = defineDriver({
  name: 'test',
  match: [],
  needs: { command: registers({ bar: 0 }), control: registers({ bar: 1 }) },
  provides: [],
  quiesce: ({ control }) => [{ kind: 'write', space: 'control', width: 8, offset: 0, value: control ?? 0 }],
  attach: () => {},
}) as Driver;

/** A card that other processes can reach. */
function sharedCard(events: Events) {
  const claim = async (_selector: unknown, holder: string) => {
    events.push(`claim for ${holder}`);
    return { release: () => void events.push('release claim') };
  };
  return builtins(driver, cardBackend(events, { claim }));
}

async function checked(events: Events) {
  return readConfig(cards('card0'), new ModuleLoader({ builtins: sharedCard(events) }));
}

it('claims a device before it is opened, and releases it last', async () => {
  const events: Events = [];
  const rig = await openRig({ file: 'demo.yaml', ...cards('card0') }, { builtins: sharedCard(events) });
  await rig.close();
  expect(events.slice(0, 2)).toEqual(['claim for demo.yaml: card0', 'open device']);
  expect(events.slice(-3)).toEqual(['close device', 'release claim', 'close backend']);
});

it('opens nothing that another process has, and passes on who that is', async () => {
  const events: Events = [];
  const claim = () => Promise.reject(new DeviceError('busy', 'card0 is held by other.yaml: card'));
  const opening = openRig(cards('card0'), { builtins: builtins(driver, cardBackend(events, { claim })) });
  await expect(opening).rejects.toMatchObject({ code: 'busy', message: 'card0 is held by other.yaml: card' });
  expect(events).toEqual(['close backend']);
});

it('starts no driver where one of the devices is held', async () => {
  const events: Events = [];
  const claim = () => Promise.reject(new DeviceError('busy', 'card1 is held by other.yaml: card'));
  const { drivers, backends } = sharedCard(events);
  const held = cardBackend([], { claim, domain: 'elsewhere' });
  const device = (type: string) => ({ driver: 'test', backend: { type } });
  const opening = openRig(
    { file: 'demo.yaml', value: { version: 1, devices: { card0: device('card'), card1: device('held') } } },
    { builtins: { drivers, backends: { ...backends, held: async () => ({ default: { ...held, type: 'held' } }) } } },
  );
  await expect(opening).rejects.toMatchObject({ code: 'busy' });
  expect(events).toEqual(['claim for demo.yaml: card0', 'release claim', 'close backend']);
});

it('leaves the claim to another process when that holds it', async () => {
  const events: Events = [];
  const rig = await openCheckedRig(await checked(events), { claimedElsewhere: true });
  await rig.close();
  expect(events.filter((event) => event.includes('claim'))).toEqual([]);
});

it('makes a device quiet without its driver', async () => {
  const events: Events = [];
  const [device] = (await checked(events)).devices;
  await quiesceDevice(device ?? expect.fail('no device'), SILENT);
  expect(events).toEqual([
    'open device',
    'open command',
    'open control',
    'control[0] = 1',
    'silence device',
    'close device',
  ]);
});
