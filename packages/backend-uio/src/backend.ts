import {
  type Backend,
  type BackendEnvironment,
  type DeviceClaim,
  type DeviceDescription,
  DeviceError,
  defineBackend,
  formatPciAddress,
  type Logger,
  parsePciAddress,
  type SpaceResource,
} from '@ring3/core';
import { type LinuxRoots, linuxRoots } from '@ring3/linux';
import { type LocatedDevice, locateDevice, type Surroundings } from './describe.ts';
import { type Candidate, readInventory, readPciCandidates } from './inventory.ts';
import { NATIVE, type Native } from './native.ts';
import { openDevice } from './open-device.ts';
import { selectCandidate } from './select.ts';
import { UIO_SELECTOR, type UioSelect, type UioSelector } from './selector.ts';
import type { UioDevice } from './uio-device.ts';

/** Base class of host bridges, bus bridges and the like: nothing for a driver in user space. */
const PCI_BRIDGE = 0x06;

/** What a {@link UioBackend} works with; everything has a default for the machine at hand. */
export interface UioBackendOptions {
  readonly log: Logger;
  readonly roots?: LinuxRoots;
  readonly native?: Partial<Native>;
  /** Where the claims of the machine are kept. */
  readonly claims?: string;
}

/** Devices that the kernel's UIO drivers serve, and PCI functions through sysfs. */
export class UioBackend implements Backend<UioSelector> {
  readonly #log: Logger;
  readonly #native: Native;
  readonly #roots: Required<LinuxRoots>;
  readonly #claims: string | undefined;
  readonly #open = new Map<string, UioDevice | undefined>();

  constructor({ log, roots, native, claims }: UioBackendOptions) {
    this.#log = log;
    this.#native = { ...NATIVE, ...native };
    this.#roots = linuxRoots(roots);
    this.#claims = claims;
  }

  async list(): Promise<DeviceDescription[]> {
    return readInventory(this.#roots.sys)
      .filter((candidate) => candidate.uio !== undefined || !isBridge(candidate))
      .map((candidate) => locateDevice(candidate, this.#surroundings()).description);
  }

  async describe(selector: UioSelector): Promise<DeviceDescription> {
    return this.#locate(selector).description;
  }

  async open(selector: UioSelector): Promise<UioDevice> {
    const located = this.#locate(selector);
    const { id } = located.description;
    if (this.#open.has(id)) throw new DeviceError('busy', `${id} is open in this process already: close it first`);
    this.#open.set(id, undefined);
    try {
      const device = this.#openLocated(located, selector);
      this.#open.set(id, device);
      return device;
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  async claim(selector: UioSelector, holder: string): Promise<DeviceClaim> {
    const { id, spaces } = this.#locate(selector).description;
    return this.#native.claim({
      ...(this.#claims === undefined ? {} : { directory: this.#claims }),
      holder,
      device: id,
      ranges: spaces.filter(isOnTheBus).map(({ kind, start, sizeBytes }) => ({ kind, start, sizeBytes })),
    });
  }

  async close(): Promise<void> {
    for (const device of [...this.#open.values()].reverse()) await device?.close();
  }

  #openLocated(located: LocatedDevice, { select: _, ...settings }: UioSelector): UioDevice {
    return openDevice(located, {
      surroundings: this.#surroundings(),
      settings,
      native: this.#native,
      log: this.#log,
      closed: () => this.#open.delete(located.description.id),
    });
  }

  #surroundings(): Surroundings {
    return { roots: this.#roots, pageBytes: this.#native.pageBytes() };
  }

  #locate({ select, ...settings }: UioSelector): LocatedDevice {
    return locateDevice(this.#select(select), this.#surroundings(), settings);
  }

  #select(select: UioSelect): Candidate {
    const { sys } = this.#roots;
    const near = 'pci' in select ? readPciCandidates(sys, formatPciAddress(parsePciAddress(select.pci))) : [];
    return selectCandidate(near.length > 0 ? near : readInventory(sys), select);
  }
}

/** Maps of kernel memory (UIO_MEM_LOGICAL, UIO_MEM_VIRTUAL) have the kernel's own addresses: nobody else can want them. */
function isOnTheBus({ start }: SpaceResource): boolean {
  return start < 2n ** 63n;
}

/** `type: uio` of the configuration. */
export const uioBackend = defineBackend<UioSelector>({
  type: 'uio',
  selector: UIO_SELECTOR,
  create: ({ log }: BackendEnvironment) => new UioBackend({ log }),
});

function isBridge({ identity }: Candidate): boolean {
  return identity.pci !== undefined && identity.pci.classCode >>> 16 === PCI_BRIDGE;
}
