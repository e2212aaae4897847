import { type DeviceDescription, type Driver, findMatch, formatIdentity, type RequiredNeed } from '@ring3/core';
import { NO_DMA, selectInterrupt, selectSpace } from '../select-resource.ts';
import type { ConfigPath } from './problem.ts';
import type { Problems } from './problems.ts';

/** Compares what a driver asks for with what the device has. */
export function checkNeeds(driver: Driver, device: DeviceDescription, path: ConfigPath, problems: Problems): void {
  for (const [name, need] of Object.entries(driver.needs)) {
    if (need.need === 'optional') continue;
    const reason = unmet(need, device);
    if (reason !== undefined) problems.add(path, `${driver.name} cannot have its "${name}": ${reason}`);
  }
  if (driver.match.length > 0 && findMatch(driver.match, device.identity) === undefined) {
    problems.warn(path, `the driver ${driver.name} does not say that it can drive ${formatIdentity(device.identity)}`);
  }
}

function unmet(need: RequiredNeed, device: DeviceDescription): string | undefined {
  if (need.need === 'service') return undefined;
  if (need.need === 'dma') return device.dma === undefined ? `${device.id} has ${NO_DMA}` : undefined;
  const found = need.need === 'space' ? selectSpace(device, need) : selectInterrupt(device, need.selector);
  return typeof found === 'string' ? found : undefined;
}
