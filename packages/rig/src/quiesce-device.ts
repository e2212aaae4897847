import { type Logger, type OpenDevice, type RegisterSpace, Scope } from '@ring3/core';
import type { CheckedDevice } from './config/checked-config.ts';
import { quiesceSteps, runQuiesce } from './quiesce.ts';
import { selectSpace } from './select-resource.ts';

/**
 * Makes a device harmless whose driver is dead: opens it, runs the driver's quiesce steps, silences it, closes it. The
 * driver itself is not started.
 * @throws DeviceError when the device does not open; AggregateError when it does not fall silent or does not close.
 */
export async function quiesceDevice(device: CheckedDevice, log: Logger): Promise<void> {
  const scope = new Scope(device.name);
  try {
    const open = await device.backend.open(device.selector);
    scope.defer(`device ${device.name}`, () => open.close());
    scope.defer(`silence of ${device.name}`, () => open.silence?.());
    const spaces = await openSpaces(device, open, scope);
    await runQuiesce(quiesceSteps(device, spaces), spaces, open.clock, log);
  } finally {
    await scope.close();
  }
}

async function openSpaces(
  { driver }: CheckedDevice,
  open: OpenDevice,
  scope: Scope,
): Promise<ReadonlyMap<string, RegisterSpace>> {
  const spaces = new Map<string, RegisterSpace>();
  for (const [name, declared] of Object.entries(driver.needs)) {
    const need = declared.need === 'optional' ? declared.inner : declared;
    if (need.need !== 'space') continue;
    const resource = selectSpace(open.description, need);
    if (typeof resource === 'string') continue; // An optional one that is not there, and the driver could not attach.
    const space = await open.openSpace(resource);
    scope.defer(`space ${name}`, () => space.close('released'));
    spaces.set(name, space);
  }
  return spaces;
}
