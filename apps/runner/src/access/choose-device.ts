import { type Backend, type DeviceDescription, DeviceError, type Driver, SILENT } from '@ring3/core';
import { didYouMean, type ModuleLoader, readConfig } from '@ring3/rig';
import { loaderFor } from '../config-source.ts';
import { UsageError } from '../usage-error.ts';
import type { ReachOptions } from './open-target.ts';
import { TARGET_FORMS } from './target-text.ts';

/** A device that was found, not opened. */
export interface ChosenDevice {
  readonly backend: Backend;
  readonly selector: unknown;
  readonly description: DeviceDescription;
  /** The one that the configuration names. */
  readonly driver: Driver | undefined;
  /** What the configuration says of the driver, checked. */
  readonly driverOptions: unknown;
  /** Closes the backend. */
  close(): Promise<void>;
}

/** A device that no configuration gives to a driver. */
export function withoutDriver(backend: Backend, selector: unknown, description: DeviceDescription): ChosenDevice {
  const close = () => backend.close();
  return { backend, selector, description, driver: undefined, driverOptions: undefined, close };
}

/** Finds a device by its PCI address, or by its name in the configuration. @throws DeviceError, UsageError. */
export async function chooseDevice(
  wanted: { readonly pci: string } | { readonly device: string },
  { config }: ReachOptions,
): Promise<ChosenDevice> {
  if ('pci' in wanted) return choosePci(wanted.pci);
  if (config === undefined) {
    throw new UsageError(
      `${wanted.device} is the name of a device in a configuration: add --config FILE. Targets are ${TARGET_FORMS}`,
    );
  }
  return chooseConfigured(wanted.device, config);
}

async function choosePci(pci: string): Promise<ChosenDevice> {
  const backend = await openBackend(loaderFor({ file: 'ring3.yaml' }), 'uio');
  try {
    const selector = { select: { pci } };
    const description = await backend.describe(selector);
    return withoutDriver(backend, selector, description);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

async function chooseConfigured(name: string, file: string): Promise<ChosenDevice> {
  const source = { file };
  const config = await readConfig(source, loaderFor(source));
  const close = async () => {
    for (const backend of config.backends.values()) await backend.close();
  };
  const found = config.devices.find((device) => device.name === name);
  if (found === undefined) {
    await close();
    const names = config.devices.map((device) => device.name);
    const hint = didYouMean(name, names, 'its devices');
    throw new DeviceError('not-found', `${file} has no device "${name}"${hint === undefined ? '' : `; ${hint}`}`);
  }
  const { backend, selector, description, driver, driverOptions } = found;
  return { backend, selector, description, driver, driverOptions, close };
}

/** A backend for what is not in a configuration. */
export async function openBackend(loader: ModuleLoader, type: string): Promise<Backend> {
  const module = await loader.backend(type);
  return module.create({
    log: SILENT,
    resolvePath: (path) => path,
    loadModule: (specifier) => loader.load(specifier),
  });
}
