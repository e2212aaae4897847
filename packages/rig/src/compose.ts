import './reflect.ts';
import {
  DeviceError,
  type DmaAllocator,
  type Driver,
  type Logger,
  type Need,
  type OpenDevice,
  type Publisher,
  type RequiredNeed,
  type Scope,
  type ServiceDirectory,
} from '@ring3/core';
import { container, type DependencyContainer, instanceCachingFactory } from 'tsyringe';
import type { ClaimTable } from './claim-table.ts';
import type { CheckedDevice } from './config/checked-config.ts';
import { NO_DMA, selectInterrupt, selectSpace } from './select-resource.ts';
import { CLOCK, DEVICE_SCOPE, handleToken, LOG, OPEN_DEVICE, SERVICES } from './tokens.ts';

/** What a device is composed from. */
export interface Parts {
  readonly claims: ClaimTable;
  readonly scope: Scope;
  readonly log: Logger;
  readonly services: Publisher;
  /** Where needs of the kind `service` are looked up. */
  readonly rigServices: ServiceDirectory;
  /** Handles that replace the real ones, by the names of the manifest: what is replaced is never opened. */
  readonly replacements?: Readonly<Record<string, unknown>>;
}

/**
 * The one place where a driver's manifest becomes handles: a tsyringe container per device. The container wires, the
 * scope releases; a container never does (tsyringe disposes in order of construction, in parallel).
 */
export function composeDevice(device: CheckedDevice, parts: Parts): DependencyContainer {
  const child = container.createChildContainer();
  child.register(DEVICE_SCOPE, { useValue: parts.scope });
  child.register(LOG, { useValue: parts.log });
  child.register(SERVICES, { useValue: parts.services });
  child.register(OPEN_DEVICE, { useFactory: instanceCachingFactory(() => openDevice(device, parts.scope)) });
  child.register(CLOCK, { useFactory: async (from) => (await from.resolve(OPEN_DEVICE)).clock });
  for (const [name, need] of Object.entries(device.driver.needs)) {
    const replacement = parts.replacements?.[name];
    const handle = async (from: DependencyContainer) =>
      replacement ?? openNeed(device, name, need, await from.resolve(OPEN_DEVICE), parts);
    child.register(handleToken(name), { useFactory: instanceCachingFactory(handle) });
  }
  return child;
}

/** Resolves exactly the handles that the manifest names. */
export async function resolveHandles(driver: Driver, from: DependencyContainer): Promise<Record<string, unknown>> {
  const handles: Record<string, unknown> = {};
  for (const name of Object.keys(driver.needs)) handles[name] = await from.resolve(handleToken(name));
  return handles;
}

async function openDevice({ backend, selector, name }: CheckedDevice, scope: Scope): Promise<OpenDevice> {
  const device = await backend.open(selector);
  scope.defer(`device ${name}`, () => device.close());
  return device;
}

async function openNeed(
  device: CheckedDevice,
  name: string,
  need: Need,
  open: OpenDevice,
  parts: Parts,
): Promise<unknown> {
  if (need.need !== 'optional') return openRequired(device, name, need, open, parts);
  if (isMissing(need.inner, device, name, open)) return undefined;
  return openRequired(device, name, need.inner, open, parts);
}

function isMissing(need: RequiredNeed, device: CheckedDevice, name: string, open: OpenDevice): boolean {
  if (need.need === 'space') return typeof selectSpace(open.description, need) === 'string';
  if (need.need === 'interrupt') return typeof selectInterrupt(open.description, need.selector) === 'string';
  if (need.need === 'dma') return open.description.dma === undefined;
  return device.services[name] === undefined;
}

async function openRequired(
  device: CheckedDevice,
  name: string,
  need: RequiredNeed,
  open: OpenDevice,
  { claims, scope, rigServices }: Parts,
): Promise<unknown> {
  if (need.need === 'service') return rigServices.get(need.serviceClass, device.services[name] ?? '');
  if (need.need === 'dma') return openDma(open);
  const resource =
    need.need === 'space' ? selectSpace(open.description, need) : selectInterrupt(open.description, need.selector);
  if (typeof resource === 'string') throw new DeviceError('not-found', `${device.name}: ${resource}`);
  if ('sizeBytes' in resource) {
    const claim = claims.request(device.name, open.description, resource);
    scope.defer(`claim of ${name}`, () => claim.release());
    const space = await open.openSpace(resource);
    scope.defer(`space ${name}`, () => space.close('released'));
    return space;
  }
  const source = await open.openInterrupt(resource);
  scope.defer(`interrupt ${name}`, () => source.close('released'));
  return source;
}

/** Who opened the device gives the memory back, once it is silent. */
async function openDma(open: OpenDevice): Promise<DmaAllocator> {
  const { description } = open;
  if (description.dma === undefined || open.openDma === undefined) {
    throw new DeviceError('not-found', `${description.id}: ${NO_DMA}`);
  }
  return open.openDma();
}
