import {
  type DeviceDescription,
  duration,
  hex,
  type InterruptResource,
  type SpaceResource,
  type Width,
} from '@ring3/core';
import { type PlannedDma, planDma } from './dma-memory.ts';
import { obstaclesOf, type Surroundings } from './obstacles.ts';
import { checkRegister, config, type PlannedSpace, planSpaces } from './planned-space.ts';
import type { DevmemSelector, PolledInterruptSelector } from './selector.ts';

/** A device of the configuration, found on this machine. */
export interface FoundDevice {
  readonly description: DeviceDescription;
  readonly spaces: readonly PlannedSpace[];
  readonly polled: PolledInterrupt | undefined;
  readonly dma: PlannedDma | undefined;
}

/** The register that is read in place of an interrupt. */
export interface PolledInterrupt {
  readonly space: PlannedSpace;
  readonly offset: number;
  readonly width: Width;
  readonly mask: number;
  readonly equals: number | undefined;
  readonly intervalUs: number;
  readonly resource: InterruptResource;
}

/** Pauses between two reads that nobody chose. */
const INTERVAL_US = 1000;

/**
 * Finds a device, without touching it.
 * @throws DeviceError `config`, `not-found`, `permission`.
 */
export function findDevice(selector: DevmemSelector, around: Surroundings): FoundDevice {
  const spaces = planSpaces(selector, around.machine.resources);
  const polled = selector.polledInterrupt && findPolled(selector.polledInterrupt, spaces);
  const obstacles = obstaclesOf(spaces, around, selector.ignoreKernelClaims === true);
  const resources = spaces.map(({ resource }) => resource);
  const dma = selector.dma && planDma(selector.dma, resources, around.roots);
  const description = describe(selector, resources, polled, [...obstacles, ...(dma?.obstacles ?? [])]);
  return { description: dma === undefined ? description : { ...description, dma: dma.resource }, spaces, polled, dma };
}

function describe(
  { name, compatible }: DevmemSelector,
  resources: readonly SpaceResource[],
  polled: PolledInterrupt | undefined,
  obstacles: readonly string[],
): DeviceDescription {
  const [first] = resources;
  return {
    id: `${name ?? first?.name ?? 'devmem'}@${(first?.start ?? 0n).toString(16)}`,
    domain: 'machine',
    identity: {
      ...(name === undefined ? {} : { name }),
      ...(compatible === undefined ? {} : { compatible: [compatible].flat() }),
    },
    spaces: resources,
    interrupts: polled === undefined ? [] : [polled.resource],
    simulated: false,
    ...(obstacles.length === 0 ? {} : { obstacles }),
  };
}

function findPolled(selector: PolledInterruptSelector, spaces: readonly PlannedSpace[]): PolledInterrupt {
  const { offset, width, mask = 2 ** width - 1, equals, intervalUs = INTERVAL_US } = selector;
  const space = spaces.find(({ resource }) => resource.name === selector.space);
  if (space === undefined) {
    const names = spaces.map(({ resource }) => resource.name).join(', ');
    throw config(`polledInterrupt: no space ${selector.space}: there is ${names}`);
  }
  checkRegister('polledInterrupt', { offset, width }, space.resource.sizeBytes, space.widths ?? [8, 16, 32]);
  if (mask === 0 || mask >= 2 ** width)
    throw config(`polledInterrupt: mask ${hex(mask)} selects nothing of ${width} bits`);
  if (equals !== undefined && (equals >= 2 ** width || (equals & ~mask) !== 0)) {
    throw config(`polledInterrupt: ${hex(equals)} can never be what mask ${hex(mask)} leaves`);
  }
  const line = `polled every ${duration(intervalUs)}: ${selector.space} ${hex(offset)} & ${hex(mask)}`;
  const resource: InterruptResource = { index: 0, name: 'polled', trigger: 'polled', line };
  return { space, offset, width, mask, equals, intervalUs, resource };
}
