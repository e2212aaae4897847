import type { Clock } from './clock.ts';
import type { DmaAllocator, DmaResource } from './dma.ts';
import type { Trigger } from './interrupt.ts';
import type { InterruptSource } from './interrupt-source.ts';
import type { Logger } from './log.ts';
import type { DeviceIdentity } from './match.ts';
import type { OptionsSchema } from './options-schema.ts';
import type { RegisterSpace } from './register-space.ts';

/** One range of registers of a device. */
export interface SpaceResource {
  readonly kind: 'memory' | 'port';
  /** PCI base address register 0 to 5. */
  readonly bar?: number;
  /** The name that the kernel, the device tree or the configuration gives it. */
  readonly name?: string;
  readonly start: bigint;
  readonly sizeBytes: number;
}

/** One interrupt of a device. */
export interface InterruptResource {
  readonly index: number;
  readonly name?: string;
  readonly trigger: Trigger;
  /** How the machine numbers the line, for people: `IRQ 14`. */
  readonly line?: string;
}

/** What a backend knows of a device without touching it. */
export interface DeviceDescription {
  /** Stable name of the device within its backend: `0000:00:04.0`. */
  readonly id: string;
  /** Whose addresses the resources are: devices of one domain can collide. */
  readonly domain: string;
  readonly identity: DeviceIdentity;
  readonly spaces: readonly SpaceResource[];
  readonly interrupts: readonly InterruptResource[];
  /** Missing where the device reaches no memory, or nobody lends it any. */
  readonly dma?: DmaResource;
  readonly simulated: boolean;
  /** Why the device, as it is now, cannot be opened or not be used in full: each with its remedy. Default: nothing is. */
  readonly obstacles?: readonly string[];
}

/** A device that was opened: gives out what is asked for, and nothing else is mapped. */
export interface OpenDevice {
  readonly description: DeviceDescription;
  /** The clock of the time that the device lives in. */
  readonly clock: Clock;
  /** Maps a range of the description; a MemoryRegion or an IoPortSpace after its kind. */
  openSpace(resource: SpaceResource): RegisterSpace | Promise<RegisterSpace>;
  openInterrupt(resource: InterruptResource): InterruptSource | Promise<InterruptSource>;
  /**
   * Memory that the device reaches, for a description that has `dma`; makes the device a bus master. Buffers that are still
   * out when the device is closed are given back then: after {@link silence}, so that no transfer meets other owners.
   */
  openDma?(): DmaAllocator | Promise<DmaAllocator>;
  /** Resolves with the reason when the device is gone; never rejects. */
  readonly gone: Promise<string>;
  /**
   * Stops what the device does by itself, as far as its bus can: interrupts masked, bus mastering off. Done after the
   * driver's quiesce steps, when the driver was stopped or has died.
   */
  silence?(): void | Promise<void>;
  /** Makes every access throw, ends every interrupt source, unmaps. */
  close(): Promise<void>;
}

/** A device that no other process of this machine can have. */
export interface DeviceClaim {
  release(): void | Promise<void>;
}

/** A way to reach devices. `Selector` is what the `backend:` section of a device's configuration says. */
export interface Backend<Selector = unknown> {
  /** Devices that are there; may be empty where a device exists only by its configuration. */
  list(): Promise<DeviceDescription[]>;
  /** Finds one device without touching it. @throws DeviceError `not-found` or `permission`. */
  describe(selector: Selector): Promise<DeviceDescription>;
  /** Opens one device. @throws DeviceError `busy`, `permission`, `not-found`. */
  open(selector: Selector): Promise<OpenDevice>;
  /**
   * Claims a device for this process, against every other process of the machine; released when the process dies. Whoever
   * keeps the device's driver alive holds it: the supervisor, not the device host. Missing where no other process
   * can reach the device. A device that can be claimed outlives the process of its driver: when that dies, the
   * supervisor makes the device quiet before it releases or uses it again.
   * @param holder who is named to those who are refused: `demo.yaml: ata0`.
   * @throws DeviceError `busy` that names the holder.
   */
  claim?(selector: Selector, holder: string): Promise<DeviceClaim>;
  close(): Promise<void>;
}

/** What a backend gets from its surroundings. */
export interface BackendEnvironment {
  readonly log: Logger;
  /** Resolves a path of the configuration against the folder of the file. */
  resolvePath(path: string): string;
  /** Loads a module that the configuration names, relative to the file or as a package. */
  loadModule(specifier: string): Promise<unknown>;
}

/** A backend package's default export: how the configuration makes a backend of it. */
export interface BackendModule<Selector = unknown> {
  /** `type:` in the configuration. */
  readonly type: string;
  /** What else the section may contain; `type` is taken out before. */
  readonly selector: OptionsSchema<Selector>;
  /**
   * The section names a device model (`model`) and its options (`options`): a rig fills in the driver's own model where
   * none is named, and checks the options with the schema of the model.
   */
  readonly takesModel?: boolean;
  create(environment: BackendEnvironment): Backend<Selector>;
}

/** Declares a backend; checks the types, changes nothing. */
export function defineBackend<Selector>(module: BackendModule<Selector>): BackendModule<Selector> {
  return module;
}
