import {
  type Backend,
  type BackendEnvironment,
  type DeviceDescription,
  DeviceError,
  defineBackend,
  type OpenDevice,
  type OptionsSchema,
} from '@ring3/core';
import { z } from 'zod';
import { type Pace, SimClock } from './clock/sim-clock.ts';
import type { FaultPlan } from './faults/plan.ts';
import { FAULT_PLAN } from './faults/schema.ts';
import { SimulatedMachine } from './machine/simulated-machine.ts';
import { DEFAULT_MEMORY, describeMemory } from './machine/system-memory.ts';
import type { ModelDescription, ModelModule } from './model/device-model.ts';
import { describeDevice, deviceId, SimulatedDevice } from './simulated-device.ts';

/** What the configuration says of a simulated device. */
export interface SimSelector {
  /** The model: a package's sub-path or a file. A rig fills in `<driver package>/model`. */
  readonly model?: string | undefined;
  /** What the model takes as options. */
  readonly options?: unknown;
  readonly faults?: FaultPlan | undefined;
  /** For faults that are left to chance. Default 1. */
  readonly seed?: number | undefined;
  /** How simulated time moves, the same for all devices of a process. Default `paced`. */
  readonly pace?: Pace | undefined;
  /** Closing the device is like pulling its plug: what it had not stored is lost. */
  readonly powerCutOnClose?: boolean | undefined;
}

const SELECTOR: z.ZodType<SimSelector> = z.strictObject({
  model: z.string().optional().describe("the device model; default: the driver package's own, its sub-path ./model"),
  options: z.unknown().optional().describe('options of the model'),
  faults: FAULT_PLAN.optional().describe('what shall go wrong'),
  seed: z.int().optional().describe('for faults that are left to chance; default 1'),
  pace: z.enum(['instant', 'manual', 'paced']).optional().describe('how simulated time moves; default paced'),
  powerCutOnClose: z.boolean().optional().describe('closing the device is like pulling its plug'),
});

interface Found {
  readonly module: ModelModule;
  readonly options: unknown;
  readonly id: string;
  readonly description: ModelDescription;
}

/** Simulated devices, all on one machine with one clock. A device is there while it is open. */
export class SimBackend implements Backend<SimSelector> {
  readonly #environment: BackendEnvironment;
  readonly #open = new Set<OpenDevice>();
  #machine: SimulatedMachine | undefined;

  constructor(environment: BackendEnvironment) {
    this.#environment = environment;
  }

  /** The machine, once a device was opened. */
  get machine(): SimulatedMachine | undefined {
    return this.#machine;
  }

  async list(): Promise<DeviceDescription[]> {
    return [...this.#open].map((device) => device.description);
  }

  async describe(selector: SimSelector): Promise<DeviceDescription> {
    const { id, description } = await this.#find(selector);
    return describeDevice(id, description, describeMemory(DEFAULT_MEMORY));
  }

  async open(selector: SimSelector): Promise<OpenDevice> {
    const { module, options, id, description } = await this.#find(selector);
    const machine = this.#machineAt(selector.pace ?? 'paced');
    const { log, resolvePath } = this.#environment;
    const attached = await machine.attach({
      id,
      description,
      create: (pins) => module.create(pins, options),
      faults: selector.faults,
      seed: selector.seed,
      log,
      resolvePath: (path) => resolvePath(path),
    });
    const device = new SimulatedDevice(attached, machine, {
      log,
      powerCutOnClose: selector.powerCutOnClose,
      closed: () => this.#open.delete(device),
    });
    this.#open.add(device);
    return device;
  }

  async close(): Promise<void> {
    for (const device of [...this.#open].reverse()) await device.close();
    this.#machine?.clock.close();
    this.#machine = undefined;
  }

  #machineAt(pace: Pace): SimulatedMachine {
    this.#machine ??= new SimulatedMachine(new SimClock(pace));
    const running = this.#machine.clock.pace;
    if (running === pace) return this.#machine;
    throw new DeviceError(
      'config',
      `backend sim: pace ${pace} is asked for, but the time of this process runs ${running}: use one pace`,
    );
  }

  async #find({ model: specifier, options: raw }: SimSelector): Promise<Found> {
    if (specifier === undefined)
      throw new DeviceError('config', 'backend sim: no model is named: add "model: <package>/model"');
    const module = await this.#load(specifier);
    const options = await validate(`options of model ${specifier}`, module.options, raw ?? {});
    const description = module.describe(options);
    return { module, options, id: deviceId(module.name, description), description };
  }

  async #load(specifier: string): Promise<ModelModule> {
    let loaded: unknown;
    try {
      loaded = await this.#environment.loadModule(specifier);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new DeviceError('not-found', `backend sim: the model ${specifier} cannot be loaded: ${why}`, { cause });
    }
    const model = (loaded as { readonly default?: unknown }).default;
    if (isModelModule(model)) return model;
    throw new DeviceError(
      'config',
      `backend sim: ${specifier} is no device model: its default export must come from defineModel()`,
    );
  }
}

/** `type: sim` of the configuration. */
export const simBackend = defineBackend<SimSelector>({
  type: 'sim',
  selector: SELECTOR,
  takesModel: true,
  create: (environment) => new SimBackend(environment),
});

function isModelModule(value: unknown): value is ModelModule {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'describe' in value &&
    typeof value.describe === 'function' &&
    'create' in value &&
    typeof value.create === 'function'
  );
}

async function validate<T>(what: string, schema: OptionsSchema<T>, value: unknown): Promise<T> {
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => {
    const keys = path.map((step) => String(typeof step === 'object' ? step.key : step));
    return keys.length === 0 ? message : `${keys.join('.')}: ${message}`;
  });
  throw new DeviceError('config', `${what}: ${issues.join('; ')}`);
}
