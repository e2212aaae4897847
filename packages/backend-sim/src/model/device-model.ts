import type { DeviceIdentity, Logger, OptionsSchema, SpaceResource, Timer, Trigger, Width } from '@ring3/core';

/**
 * A simulated device: it knows its registers, its interrupt lines and a timer, and nothing else. Accesses arrive
 * with the range, alignment and width checked against the description.
 *
 * A model never calls the driver: what happens later, it schedules on its pins.
 */
export interface DeviceModel {
  /** One read access; has the side effects of the real register. `space` is a name of the description. */
  read(space: string, offset: number, width: Width): number;
  /** One write access. */
  write(space: string, offset: number, width: Width, value: number): void;
  /**
   * A whole run of reads of one FIFO register at once: the same as `into.length * 8 / width` calls of `read`, faster.
   * @returns false, having done nothing, when the model wants the single accesses.
   */
  readFifo?(space: string, offset: number, width: Width, into: Uint8Array): boolean;
  /** The counterpart of `readFifo`. */
  writeFifo?(space: string, offset: number, width: Width, from: Uint8Array): boolean;
  /** The power goes: volatile contents are lost, nothing is written any more. The device is dead after it. */
  cutPower?(): void;
  /** The power goes in the orderly way: files are closed. Also called after `cutPower`, to close what is still open. */
  close?(): Promise<void>;
}

/** An interrupt output of a model. */
export interface InterruptPin {
  /** Asserts a level line. */
  raise(): void;
  /** Takes the level back. */
  lower(): void;
  /** One edge, or one message. */
  pulse(): void;
}

/** The memory of the machine as a device reaches it, as bus master. */
export interface MemoryPort {
  /** @returns false, with all ones in `into`, where nothing answers or bus mastering is off. */
  read(busAddress: bigint, into: Uint8Array): boolean;
  /** @returns false, with nothing written, where nothing answers or bus mastering is off. */
  write(busAddress: bigint, from: Uint8Array): boolean;
}

/** What the simulator gives to a model. */
export interface ModelPins {
  /** The interrupt output with this index of the description. */
  interrupt(index: number): InterruptPin;
  /** Transfers by the device itself; for a description with `busMaster`. */
  readonly memory: MemoryPort;
  nowUs(): number;
  after(delayUs: number, callback: () => void): Timer;
  /**
   * Work of the real world (a file being synchronised) that the device waits for: simulated time stands still until it
   * settles. A rejection is a broken model and surfaces as an uncaught error; what the device can report, it catches.
   */
  hold(what: string, work: Promise<unknown>): void;
  readonly log: Logger;
  /** Resolves a path of the configuration. */
  resolvePath(path: string): string;
}

/** What a simulated device looks like from outside: pure data, known without creating it. */
export interface ModelDescription {
  readonly identity: DeviceIdentity;
  /** Whether the device makes transfers to memory by itself. Default: it does not. */
  readonly busMaster?: boolean;
  /** Every space has a name, by which the model is addressed. */
  readonly spaces: readonly (SpaceResource & { readonly name: string; readonly widths?: readonly Width[] })[];
  readonly interrupts: readonly {
    readonly index: number;
    readonly name?: string;
    readonly trigger: Exclude<Trigger, 'polled'>;
    /** Devices that name the same line share it: `IRQ 14`. */
    readonly line: string;
  }[];
}

/** A model package's export: how the configuration makes a simulated device. */
export interface ModelModule<Options = unknown> {
  readonly name: string;
  readonly options: OptionsSchema<Options>;
  describe(options: Options): ModelDescription;
  create(pins: ModelPins, options: Options): DeviceModel | Promise<DeviceModel>;
}

/** Declares a model; checks the types, changes nothing. */
export function defineModel<Options>(module: ModelModule<Options>): ModelModule<Options> {
  return module;
}
