import { type FaultPlan, type MemoryOptions, type Simulation, simulate } from '@ring3/backend-sim';
import type { ModelPins } from '@ring3/backend-sim/model';
import { BLOCK_DEVICE, type BlockDevice, type Logger, Scope, ServiceDirectory } from '@ring3/core';
import type { z } from 'zod';
import { type AtaController, ataOptions, ataSff } from './index.ts';
import model, {
  type ControllerOptionsInput,
  createController,
  optionsSchema,
  type SectorStore,
  SffController,
} from './model/index.ts';

/** What a test may choose; the rest is one sound disk of 8 MiB, driven by interrupt. */
export interface DriverSetUp {
  readonly model?: ControllerOptionsInput;
  readonly options?: z.input<typeof ataOptions>;
  readonly faults?: FaultPlan;
  readonly seed?: number;
  /** How long an access of a register takes; default: as long as on a real bus. */
  readonly portAccessNs?: number;
  /** What keeps the sectors of each disk; it outlives the driver and the device. */
  readonly stores?: readonly SectorStore[];
  /** With bus master and memory for DMA; without, if nothing is said. */
  readonly byDma?: boolean;
  readonly memory?: Partial<MemoryOptions>;
  /** What somebody did with the device before the driver came. */
  readonly before?: (sim: Simulation) => Promise<void>;
  /** Handles that the device does not have. */
  readonly without?: readonly ('control0' | 'irq0' | 'command1')[];
}

/** One attached driver on one simulated controller. */
export interface TestDriver {
  readonly sim: Simulation;
  /** The model, to look behind the registers and to break it. */
  readonly hardware: SffController;
  readonly controller: AtaController;
  readonly services: ServiceDirectory;
  /** What the driver said, `level: message`. */
  readonly said: string[];
  disk(name?: string): BlockDevice;
  read(block: number, count: number, name?: string): Promise<Uint8Array>;
  write(block: number, data: Uint8Array, fua?: boolean): Promise<void>;
  flush(): Promise<void>;
  /** Simulated time that the promise took, in microseconds; its failure does not matter. */
  time(work: Promise<unknown>): Promise<number>;
  /** The driver's orderly end. */
  stop(): Promise<void>;
}

/** Attaches the driver; one simulated machine each. */
export async function attachDriver(setUp: DriverSetUp = {}): Promise<TestDriver> {
  const said: string[] = [];
  const options = optionsSchema.parse(setUp.model ?? { sizeMiB: 8 });
  const { stores, faults, portAccessNs } = setUp;
  const module = { ...model, create: (pins: ModelPins) => createController(pins, options, stores) };
  const sim = await simulate(module, options, {
    ...(faults && { faults }),
    ...(portAccessNs !== undefined && { timing: { portAccessNs } }),
    ...(setUp.memory && { memory: setUp.memory }),
    seed: setUp.seed ?? 1,
  });
  if (!(sim.model instanceof SffController)) throw new Error('the model is another one');
  await setUp.before?.(sim);
  const services = new ServiceDirectory();
  const scope = new Scope('ata0');
  const environment = { name: 'ata0', clock: sim.clock, log: recorder(said), services, simulated: true };
  const attaching = ataSff.attach(
    { ...handles(sim, setUp), ...environment },
    ataOptions.parse(setUp.options ?? {}),
    scope,
  );
  const controller = await sim.run(Promise.resolve(attaching));
  const disk = (name = 'disk0') => services.get(BLOCK_DEVICE, name);
  return {
    sim,
    hardware: sim.model,
    controller,
    services,
    said,
    disk,
    read: async (block, count, name) => {
      const into = new Uint8Array(count * 512);
      await sim.run(disk(name).read(block, into));
      return into;
    },
    write: (block, data, fua = false) => sim.run(disk().write(block, data, { fua })),
    flush: () => sim.run(disk().flush()),
    time: async (work) => {
      const startUs = sim.clock.nowUs();
      await sim.run(work.catch(() => {}));
      return sim.clock.nowUs() - startUs;
    },
    stop: () => sim.run(scope.close()),
  };
}

type DefectInput = NonNullable<
  NonNullable<NonNullable<ControllerOptionsInput['disks']>[number]['defects']>['commands']
>[number];

/** One disk of 1 MiB whose commands go wrong in this way, once if nothing else is said. */
export function broken(...commands: DefectInput[]): ControllerOptionsInput {
  return { disks: [{ sizeMiB: 1, defects: { commands } }] };
}

/** Blocks whose content tells where and when they were written. */
export function blocks(count: number, seed = 1): Uint8Array {
  const words = new Uint32Array(count * 128);
  for (let index = 0; index < words.length; index++)
    words[index] = Math.imul(index + 1, 2_654_435_761) ^ (seed * 16_777_619);
  return new Uint8Array(words.buffer);
}

/** As `toEqual`, for many blocks. */
export function same(actual: Uint8Array, expected: Uint8Array): boolean {
  return Buffer.compare(actual, expected) === 0;
}

function handles(sim: Simulation, { without = [], byDma = false }: DriverSetUp) {
  const { spaces, interrupts } = sim.device.description;
  const has = (name: string) => spaces.some((space) => space.name === name);
  const space = (name: string) => (has(name) && !without.some((each) => each === name) ? sim.space(name) : undefined);
  const line = (index: number) => (interrupts.some((each) => each.index === index) ? sim.interrupt(index) : undefined);
  return {
    command0: sim.space('command0'),
    control0: space('control0'),
    irq0: without.includes('irq0') ? undefined : line(0),
    command1: space('command1'),
    control1: without.includes('command1') ? undefined : space('control1'),
    irq1: without.includes('irq0') ? undefined : line(1),
    busMaster: byDma ? space('busMaster') : undefined,
    dma: byDma ? sim.device.openDma() : undefined,
  };
}

function recorder(said: string[]): Logger {
  const say = (level: string) => (message: string) => void said.push(`${level}: ${message}`);
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
