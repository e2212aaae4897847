import type { Backend, BackendModule, DeviceDescription, Driver } from '@ring3/core';
import type { CheckedDevice } from './checked-config.ts';
import type { ConfigPath } from './problem.ts';

/** A device while it is being checked: what could be found out, whatever else is wrong. */
export interface DeviceDraft {
  readonly name: string;
  readonly path: ConfigPath;
  readonly raw: Readonly<Record<string, unknown>>;
  driver?: Driver;
  driverOptions?: { readonly value: unknown };
  backendType?: string;
  backendModule?: BackendModule;
  backend?: Backend;
  selector?: { readonly value: unknown };
  description?: DeviceDescription;
  services: Readonly<Record<string, string>>;
}

/** The device, if nothing of it is missing. */
export function finish(draft: DeviceDraft): CheckedDevice | undefined {
  const { driver, driverOptions, backendType, backendModule, backend, selector, description } = draft;
  if (driver === undefined || driverOptions === undefined || backendType === undefined) return undefined;
  if (backendModule === undefined || backend === undefined || selector === undefined || description === undefined)
    return undefined;
  const { name, services, raw } = draft;
  const found = { driver, backendType, backendModule, backend, description };
  return { name, ...found, driverOptions: driverOptions.value, selector: selector.value, services, raw };
}
