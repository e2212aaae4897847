import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import {
  type Backend,
  type BackendEnvironment,
  type Clock,
  type DeviceClaim,
  type DeviceDescription,
  DeviceError,
  defineBackend,
  type OpenDevice,
  SystemClock,
} from '@ring3/core';
import {
  claimMachine,
  deviceErrorOf,
  type LinuxRoots,
  linuxRoots,
  type openHugePages,
  pageSizeBytes,
} from '@ring3/linux';
import { type FoundDevice, findDevice } from './describe.ts';
import { DevmemDevice } from './devmem-device.ts';
import { DmaMemory } from './dma-memory.ts';
import { holdersOf } from './holders.ts';
import { readMachine } from './machine.ts';
import { doorRemedies, heldInside, type Surroundings } from './obstacles.ts';
import { reach } from './reach.ts';
import { type DevmemSelector, SELECTOR } from './selector.ts';

/** What a test replaces: the kernel's files, the machine's properties, time. */
export interface DevmemOptions extends LinuxRoots {
  /** Default: that of this machine. */
  readonly pageBytes?: number;
  /** Default: `process.arch`. */
  readonly arch?: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: those of the machine. */
  readonly hugePages?: typeof openHugePages;
}

/** Devices behind `/dev/mem` and x86 I/O ports. A device is there by its configuration only. */
export class DevmemBackend implements Backend<DevmemSelector> {
  readonly #environment: Pick<BackendEnvironment, 'log'>;
  readonly #options: DevmemOptions;
  readonly #clock: Clock;
  readonly #open = new Map<string, OpenDevice>();

  constructor(environment: Pick<BackendEnvironment, 'log'>, options: DevmemOptions = {}) {
    this.#environment = environment;
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
  }

  /** The devices that this backend has opened. */
  async list(): Promise<DeviceDescription[]> {
    return [...this.#open.values()].map((device) => device.description);
  }

  async describe(selector: DevmemSelector): Promise<DeviceDescription> {
    return findDevice(selector, this.#surroundings()).description;
  }

  async open(selector: DevmemSelector): Promise<OpenDevice> {
    const around = this.#surroundings();
    const found = findDevice(selector, around);
    const { id } = found.description;
    if (this.#open.has(id)) throw new DeviceError('busy', `devmem: ${id} is open already in this process`);
    if (selector.ignoreKernelClaims !== true) refuseHeld(found, around);
    tryDoor(found, around);
    const { log } = this.#environment;
    const device = new DevmemDevice(found, {
      clock: this.#clock,
      log,
      dma: found.dma && new DmaMemory(id, found.dma, around.roots, log, this.#options.hugePages),
      reach: (space) => reach(space, around),
      closed: () => this.#open.delete(id),
    });
    this.#open.set(id, device);
    return device;
  }

  async claim(selector: DevmemSelector, holder: string): Promise<DeviceClaim> {
    const { id, spaces } = await this.describe(selector);
    return claimMachine({ holder, device: id, ranges: spaces });
  }

  async close(): Promise<void> {
    for (const device of [...this.#open.values()].reverse()) await device.close();
  }

  #surroundings(): Surroundings {
    const { pageBytes, arch = process.arch } = this.#options;
    const roots = linuxRoots(this.#options);
    return {
      machine: readMachine(this.#options),
      roots,
      dev: roots.dev,
      arch,
      pageBytes: pageBytes ?? pageSizeBytes(),
    };
  }
}

/** `type: devmem` of the configuration. */
export const devmemBackend = defineBackend<DevmemSelector>({
  type: 'devmem',
  selector: SELECTOR,
  create: (environment) => new DevmemBackend(environment),
});

function refuseHeld({ spaces }: FoundDevice, around: Surroundings): void {
  for (const space of spaces) {
    const held = heldInside(space, holdersOf(space.resource, around.machine, around.pageBytes));
    if (held !== undefined) throw new DeviceError('busy', `devmem: ${held}`);
  }
}

/** Opens the kernel's file and closes it: a lack of permission is found before a driver begins. */
function tryDoor({ description, spaces }: FoundDevice, { dev, machine }: Surroundings): void {
  const needed = [
    ...(spaces.some(({ resource }) => resource.kind === 'memory') ? (['mem'] as const) : []),
    ...(spaces.some(({ through }) => through === 'dev-port') ? (['port'] as const) : []),
  ];
  for (const name of needed) {
    const path = join(dev, name);
    try {
      closeSync(openSync(path, constants.O_RDWR | constants.O_SYNC));
    } catch (error) {
      throw deviceErrorOf(error, `devmem: ${description.id}`, doorRemedies(name, machine));
    }
  }
}
