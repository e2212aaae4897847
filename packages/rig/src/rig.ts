import {
  DeviceError,
  type Logger,
  type PublishedService,
  Scope,
  type ServiceClass,
  ServiceDirectory,
  SILENT,
} from '@ring3/core';
import { type AttachedDevice, attachDevice } from './attach-device.ts';
import { claimDevice, holderName } from './claim-device.ts';
import { ClaimTable } from './claim-table.ts';
import { type CheckedConfig, type CheckedDevice, type ConfigSource, readConfig } from './config/index.ts';
import { type Builtins, ModuleLoader } from './modules/index.ts';

/** How a checked configuration is opened. */
export interface RigOptions {
  readonly log?: Logger;
  /** Attach only these devices: a device host has one. */
  readonly only?: readonly string[];
  /** Another process holds the claims of the devices against the rest of the machine: the supervisor of a device host. */
  readonly claimedElsewhere?: boolean;
  /** Handles that replace the real ones, by device and name: how a test gives a driver other hardware. */
  readonly replacements?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One device of a rig, for people and programs that look. */
export interface RigDevice {
  readonly name: string;
  readonly driver: string;
  readonly device: CheckedDevice;
  readonly instance: unknown;
  /** Resolves with the reason when the hardware is gone; its driver has been stopped then. */
  readonly gone: Promise<string>;
}

/** Drivers that are attached to their devices, in this process. */
export class Rig {
  readonly name: string;
  /** Every service of the rig, named `device/service`. */
  readonly services = new ServiceDirectory();
  /** Which addresses the drivers of this rig hold. */
  readonly claims = new ClaimTable();
  readonly #scope: Scope;
  readonly #log: Logger;
  readonly #devices: RigDevice[] = [];

  constructor(name: string, log: Logger) {
    this.name = name;
    this.#log = log;
    this.#scope = new Scope(name);
  }

  get devices(): readonly RigDevice[] {
    return this.#devices;
  }

  /**
   * A service by `device/service`, or by `service` alone where only one device has it.
   * @throws DeviceError `not-found` that lists what there is.
   */
  get<T>(serviceClass: ServiceClass<T>, name: string): T {
    const matches = this.services
      .list()
      .filter((offer) => offer.className === serviceClass.name && offer.name.endsWith(`/${name}`));
    const [only] = matches;
    return this.services.get(serviceClass, matches.length === 1 && only !== undefined ? only.name : name);
  }

  /** Stops all drivers, the last attached first, and releases everything. */
  close(): Promise<void> {
    return this.#scope.close();
  }

  /** Attaches one more device and mirrors what it publishes. Used by `openRig`. */
  async attach(checked: CheckedDevice, options: RigOptions): Promise<void> {
    const replacements = options.replacements?.[checked.name];
    const attached = await attachDevice(checked, {
      log: this.#log,
      rigServices: this.services,
      claims: this.claims,
      ...(replacements === undefined ? {} : { replacements }),
    });
    this.#scope.defer(`device ${checked.name}`, () => attached.close());
    const mirror = attached.services.services$.subscribe((offer) => this.#mirror(attached, offer));
    this.#scope.defer(`services of ${checked.name}`, () => mirror.unsubscribe());
    const gone = attached.gone.then(async (reason) => {
      if (this.#scope.closed) return reason;
      this.#log.warn(`${attached.name}: the device is gone: ${reason}`);
      await attached.close().catch((error: unknown) => this.#log.error(`${attached.name}: ${String(error)}`));
      return reason;
    });
    this.#devices.push({
      name: checked.name,
      driver: checked.driver.name,
      device: checked,
      instance: attached.instance,
      gone,
    });
  }

  /** Closes the backends with the rig, after the last device. */
  defer(what: string, release: () => Promise<void>): void {
    this.#scope.defer(what, release);
  }

  #mirror(attached: AttachedDevice, offer: PublishedService): void {
    const withdraw = this.services.publish({ name: offer.className }, `${attached.name}/${offer.name}`, offer.service);
    void offer.withdrawn.then(withdraw);
  }
}

/**
 * Claims the devices of a checked configuration and attaches their drivers, in the order in which they need each other.
 * @throws DeviceError `busy` that names who has one of the devices; one that names the device whose driver cannot attach.
 */
export async function openCheckedRig(config: CheckedConfig, options: RigOptions = {}): Promise<Rig> {
  const unknown = options.only?.find((name) => !config.devices.some((device) => device.name === name));
  if (unknown !== undefined) throw new DeviceError('not-found', `the configuration has no device "${unknown}"`);
  const alone = config.devices.filter(({ name }) => options.only?.includes(name));
  const needy = alone.find(({ services }) => Object.values(services).some((path) => !isAmong(alone, path)));
  if (needy !== undefined) {
    throw new DeviceError(
      'unsupported',
      `${needy.name} needs ${Object.values(needy.services).join(', ')}: a device host does not reach services of other devices yet; use isolation: inline`,
    );
  }
  const rig = new Rig(config.name, options.log ?? SILENT);
  for (const [type, backend] of config.backends) rig.defer(`backend ${type}`, () => backend.close());
  const wanted = config.devices.filter(({ name }) => options.only?.includes(name) ?? true);
  try {
    // All of them first: no driver starts in a rig that cannot have its devices.
    if (options.claimedElsewhere !== true) await claimAll(wanted, config, rig);
    for (const device of wanted) await rig.attach(device, options);
  } catch (error) {
    await rig.close().catch(() => {});
    throw error;
  }
  return rig;
}

async function claimAll(devices: readonly CheckedDevice[], config: CheckedConfig, rig: Rig): Promise<void> {
  for (const device of devices) {
    const claim = await claimDevice(device, holderName(config, device));
    if (claim !== undefined) rig.defer(`claim of ${device.name}`, async () => claim.release());
  }
}

function isAmong(devices: readonly CheckedDevice[], servicePath: string): boolean {
  return devices.some(({ name }) => servicePath.startsWith(`${name}/`));
}

/** What {@link openRig} takes beside the configuration. */
export interface OpenRigOptions extends RigOptions {
  /** Drivers, models and backends that the program brings with it; everything else is found by name or path. */
  readonly builtins?: Builtins;
}

/**
 * Opens a rig in this process: reads the configuration, attaches its drivers. Exports are the runner's job.
 * @param source a YAML file, or a configuration that the program made (`{ value }`), with values to replace (`set`).
 * @throws ConfigError with everything that is wrong; DeviceError that names the device when a driver cannot attach.
 */
export async function openRig(source: string | ConfigSource, options: OpenRigOptions = {}): Promise<Rig> {
  const { builtins, ...rigOptions } = options;
  const config = typeof source === 'string' ? { file: source } : source;
  const loader = new ModuleLoader({ from: config.file, ...(builtins === undefined ? {} : { builtins }) });
  return openCheckedRig(await readConfig(config, loader), rigOptions);
}
