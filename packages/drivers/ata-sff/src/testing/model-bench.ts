import { simulate } from '@ring3/backend-sim';
import type { ModelPins } from '@ring3/backend-sim/model';
import model, {
  type ControllerOptionsInput,
  createController,
  optionsSchema,
  type SectorStore,
} from '../model/index.ts';
import { type Bench, openBench } from './bench.ts';

/** Longer than the latency of the simulator's interrupts. */
const PAUSE_US = 20;

/** The simulated controller on a bench. */
export async function modelBench(input: ControllerOptionsInput, stores: readonly SectorStore[]): Promise<Bench> {
  const options = optionsSchema.parse(input);
  const module = { ...model, create: (pins: ModelPins) => createController(pins, options, stores) };
  const sim = await simulate(module, options);
  const run = <T>(work: Promise<T>) => sim.run(work);
  const bench = await openBench({ name: 'model', device: sim.device, run, pauseUs: PAUSE_US });
  for (let turn = 0; turn < 100; turn++) await bench.pause(); // Past the power-on reset.
  return { ...bench, close: () => sim.close() };
}
