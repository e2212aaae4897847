import {
  DeviceError,
  type InterruptSource,
  IoPortSpace,
  type Logger,
  MemoryRegion,
  type RegisterSpace,
} from '@ring3/core';
import { type Pace, SimClock } from './clock/sim-clock.ts';
import type { FaultPlan } from './faults/plan.ts';
import type { FaultTrace } from './faults/trace.ts';
import { type MachineTiming, SimulatedMachine } from './machine/simulated-machine.ts';
import type { MemoryOptions } from './machine/system-memory.ts';
import type { DeviceModel, ModelModule } from './model/device-model.ts';
import { deviceId, SimulatedDevice } from './simulated-device.ts';

/** How {@link simulate} sets the stage. */
export interface SimulateOptions {
  readonly faults?: FaultPlan;
  /** For faults that are left to chance. Default 1. */
  readonly seed?: number;
  /** Default `instant`. */
  readonly pace?: Pace;
  readonly timing?: Partial<MachineTiming>;
  readonly memory?: Partial<MemoryOptions>;
  readonly log?: Logger;
  readonly resolvePath?: (path: string) => string;
  /** Plugs the device into a machine that is there already; `pace`, `timing` and `memory` are those of the machine then. */
  readonly machine?: SimulatedMachine;
}

/** One simulated device and everything around it, for the test of a driver. */
export interface Simulation {
  readonly machine: SimulatedMachine;
  readonly clock: SimClock;
  /** The device as a backend opens it. */
  readonly device: SimulatedDevice;
  /** The model itself, for tests that look behind the registers. */
  readonly model: DeviceModel;
  /** What was injected so far. */
  readonly faults: FaultTrace;
  /** The registers with this name in the model's description. @throws DeviceError `not-found`. */
  space(name: string): RegisterSpace;
  /** As {@link space}, for one in memory. */
  memory(name: string): MemoryRegion;
  /** As {@link space}, for one in I/O ports. */
  ports(name: string): IoPortSpace;
  /** The interrupt with this index. Default 0. */
  interrupt(index?: number): InterruptSource;
  /** Drives the simulation until the promise settles; fails at once when it cannot. */
  run<T>(promise: Promise<T>): Promise<T>;
  removeDevice(reason?: string): void;
  cutPower(): void;
  /** Closes the device, and the clock unless the machine was given. */
  close(): Promise<void>;
}

/**
 * Switches a device model on, on a machine of its own.
 * @param options as the model's `options` says, after validation.
 */
export async function simulate<Options>(
  module: ModelModule<Options>,
  options: Options,
  settings: SimulateOptions = {},
): Promise<Simulation> {
  const machine =
    settings.machine ?? new SimulatedMachine(new SimClock(settings.pace), settings.timing, settings.memory);
  const { clock } = machine;
  const description = module.describe(options);
  const id = deviceId(module.name, description);
  const attached = await machine.attach({
    id,
    description,
    create: (pins) => module.create(pins, options),
    faults: settings.faults,
    seed: settings.seed,
    log: settings.log,
    resolvePath: settings.resolvePath,
  });
  const device = new SimulatedDevice(attached, machine, { log: settings.log });
  const open = new Opened(device);
  return {
    machine,
    clock,
    device,
    model: attached.model,
    faults: attached.faults.trace,
    space: (name) => open.space(name),
    memory: (name) => open.typed(name, MemoryRegion),
    ports: (name) => open.typed(name, IoPortSpace),
    interrupt: (index = 0) => open.interrupt(index),
    run: (promise) => clock.run(promise),
    removeDevice: (reason) => attached.remove(reason),
    cutPower: () => attached.cutPower(),
    close: async () => {
      await device.close();
      if (settings.machine === undefined) clock.close();
    },
  };
}

/** What was opened already: every name is opened once. */
class Opened {
  readonly #device: SimulatedDevice;
  readonly #spaces = new Map<string, RegisterSpace>();

  constructor(device: SimulatedDevice) {
    this.#device = device;
  }

  space(name: string): RegisterSpace {
    const open = this.#spaces.get(name);
    if (open !== undefined) return open;
    const { id, spaces } = this.#device.description;
    const resource = spaces.find((space) => space.name === name);
    if (resource === undefined) {
      throw new DeviceError(
        'not-found',
        `${id} has no space ${name}; there is: ${spaces.map((space) => space.name).join(', ')}`,
      );
    }
    const space = this.#device.openSpace(resource);
    this.#spaces.set(name, space);
    return space;
  }

  typed<T extends RegisterSpace>(name: string, kind: new (...args: never[]) => T): T {
    const space = this.space(name);
    if (space instanceof kind) return space;
    throw new DeviceError('not-found', `${space} is not a ${kind.name}`);
  }

  interrupt(index: number): InterruptSource {
    const { id, interrupts } = this.#device.description;
    const resource = interrupts.find((interrupt) => interrupt.index === index);
    if (resource === undefined)
      throw new DeviceError('not-found', `${id} has no interrupt ${index}; it has ${interrupts.length}`);
    return this.#device.openInterrupt(resource);
  }
}
