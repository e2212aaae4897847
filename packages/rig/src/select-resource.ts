import type {
  DeviceDescription,
  InterruptResource,
  InterruptSelector,
  RequiredNeed,
  SpaceResource,
  SpaceSelector,
} from '@ring3/core';

type SpaceNeed = Extract<RequiredNeed, { need: 'space' }>;

/** Why a device cannot have its `dma()`. */
export const NO_DMA = 'no memory that it could reach: the backend section of the configuration has to lend it some';

/** The range that a need means on this device, or words that say why there is none. */
export function selectSpace(description: DeviceDescription, need: SpaceNeed): SpaceResource | string {
  const found = description.spaces.find((space) => meansSpace(need.selector, space));
  const wanted = need.kind === 'any' ? 'registers' : need.kind === 'memory' ? 'registers in memory' : 'I/O ports';
  if (found === undefined) {
    const there = description.spaces.map(spaceLabel).join(', ') || 'none';
    return `the driver needs ${wanted} at ${selectorLabel(need.selector)}; ${description.id} has ${there}`;
  }
  if (need.kind !== 'any' && need.kind !== found.kind) {
    return `the driver needs ${wanted} at ${selectorLabel(need.selector)}; on ${description.id} that is ${found.kind === 'memory' ? 'memory' : 'I/O ports'}`;
  }
  if (found.sizeBytes < need.minimumBytes) {
    return `the driver needs ${need.minimumBytes} bytes at ${selectorLabel(need.selector)}; ${description.id} has ${found.sizeBytes}`;
  }
  return found;
}

/** The interrupt that a need means on this device, or words that say why there is none. */
export function selectInterrupt(
  description: DeviceDescription,
  selector: InterruptSelector,
): InterruptResource | string {
  const found = description.interrupts.find((resource) =>
    selector.name !== undefined && resource.name !== undefined
      ? resource.name === selector.name
      : resource.index === (selector.index ?? 0),
  );
  return (
    found ??
    `the driver needs interrupt ${selector.name ?? selector.index ?? 0}; ${description.id} has ${description.interrupts.length}`
  );
}

function meansSpace(selector: SpaceSelector, space: SpaceResource): boolean {
  if (selector.bar !== undefined && space.bar !== undefined) return selector.bar === space.bar;
  return selector.name !== undefined && selector.name === space.name;
}

function selectorLabel({ bar, name }: SpaceSelector): string {
  return [bar === undefined ? undefined : `BAR ${bar}`, name === undefined ? undefined : `"${name}"`]
    .filter((part) => part !== undefined)
    .join(' or ');
}

function spaceLabel({ bar, name, sizeBytes, kind }: SpaceResource): string {
  return `${bar === undefined ? name : `BAR ${bar}`} (${kind}, ${sizeBytes} bytes)`;
}
