import {
  type Clock,
  DeviceError,
  type DriverEnvironment,
  isDeviceError,
  type Logger,
  type Publisher,
  RegisterSpace,
  Scope,
  ServiceDirectory,
} from '@ring3/core';
import type { ClaimTable } from './claim-table.ts';
import { composeDevice, resolveHandles } from './compose.ts';
import type { CheckedDevice } from './config/checked-config.ts';
import { quiesceSteps, runQuiesce } from './quiesce.ts';
import { CLOCK, OPEN_DEVICE } from './tokens.ts';

/** A device whose driver runs. */
export interface AttachedDevice {
  readonly name: string;
  readonly device: CheckedDevice;
  /** What the driver's `attach` returned. */
  readonly instance: unknown;
  readonly clock: Clock;
  /** What it publishes, by the names that the driver gives. */
  readonly services: ServiceDirectory;
  /** Resolves with the reason when the hardware is gone. */
  readonly gone: Promise<string>;
  /** Stops the driver in order, makes the hardware quiet, releases everything. */
  close(): Promise<void>;
}

/** What {@link attachDevice} gets beside the device. */
export interface AttachOptions {
  readonly log: Logger;
  readonly rigServices: ServiceDirectory;
  readonly claims: ClaimTable;
  readonly replacements?: Readonly<Record<string, unknown>>;
}

/**
 * Opens a device, gives its driver the handles of the manifest, and attaches it. Released in reverse: driver, quiesce,
 * lines, mappings, device, claims.
 * @throws DeviceError that names the device, when the driver cannot attach; everything is released then.
 */
export async function attachDevice(device: CheckedDevice, options: AttachOptions): Promise<AttachedDevice> {
  const scope = new Scope(device.name);
  try {
    return await attachInScope(device, scope, options);
  } catch (cause) {
    await scope.close().catch((error: unknown) => options.log.error(`${device.name}: ${String(error)}`));
    throw attachFailure(device, cause);
  }
}

async function attachInScope(device: CheckedDevice, scope: Scope, options: AttachOptions): Promise<AttachedDevice> {
  const { claims, log, rigServices, replacements } = options;
  const services = new ServiceDirectory();
  const parts = {
    claims,
    scope,
    log,
    services,
    rigServices,
    ...(replacements === undefined ? {} : { replacements }),
  };
  const container = composeDevice(device, parts);
  const open = await container.resolve(OPEN_DEVICE);
  const clock = await container.resolve(CLOCK);
  const handles = await resolveHandles(device.driver, container);
  scope.defer('silence', () => open.silence?.());
  deferQuiesce(device, handles, scope, clock, log);
  const driverScope = scope.child('driver');
  const environment: DriverEnvironment = {
    name: device.name,
    clock,
    log,
    services: withdrawing(services, driverScope, open.gone),
    simulated: open.description.simulated,
  };
  const instance = await device.driver.attach({ ...handles, ...environment }, device.driverOptions, driverScope);
  return { name: device.name, device, instance, clock, services, gone: open.gone, close: () => scope.close() };
}

/** The driver's own steps against a device that nobody drives any more: also after a clean stop, where they change nothing. */
function deferQuiesce(
  device: CheckedDevice,
  handles: Record<string, unknown>,
  scope: Scope,
  clock: Clock,
  log: Logger,
): void {
  const spaces = new Map<string, RegisterSpace>();
  for (const [name, handle] of Object.entries(handles)) if (handle instanceof RegisterSpace) spaces.set(name, handle);
  const steps = quiesceSteps(device, spaces);
  scope.defer('quiesce', () => runQuiesce(steps, spaces, clock, log));
}

/** A publisher whose offers end with the device, which says why, or else with the driver, whatever the driver forgets. */
function withdrawing(services: ServiceDirectory, scope: Scope, gone: Promise<string>): Publisher {
  return {
    publish: (serviceClass, name, service) => {
      const withdraw = services.publish(serviceClass, name, service);
      void gone.then((reason) => withdraw(`the device is gone: ${reason}`));
      scope.defer(`service ${name}`, () => withdraw('the driver was stopped'));
      return withdraw;
    },
  };
}

function attachFailure(device: CheckedDevice, cause: unknown): DeviceError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const text = `${device.name}: driver ${device.driver.name} did not attach: ${message}`;
  return new DeviceError(isDeviceError(cause) ? cause.code : 'fault', text, { cause });
}
