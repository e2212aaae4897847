import { hex, type SpaceResource } from '@ring3/core';
import type { Machine } from './machine.ts';
import { type Occupant, occupantsOf } from './occupants.ts';

/** Who in the kernel is where a space is. */
export interface Holders {
  /** Memory of the machine itself; never a register. */
  readonly ram: readonly Occupant[];
  /** Drivers and firmware that hold a part of the space. */
  readonly inside: readonly Occupant[];
  /** Those who hold a part of the same pages, not of the space. */
  readonly beside: readonly Occupant[];
  /** The kernel does not tell this process. */
  readonly unknown: boolean;
}

/** Looks up who holds a space and the rest of its pages: access to memory is given page by page. */
export function holdersOf(space: SpaceResource, { resources }: Machine, pageBytes: number): Holders {
  const tree = space.kind === 'memory' ? resources.memory : resources.ports;
  const end = space.start + BigInt(space.sizeBytes) - 1n;
  const within = occupantsOf(tree, space.start, end);
  const page = space.kind === 'memory' ? BigInt(pageBytes) : 1n;
  const around = occupantsOf(tree, space.start - (space.start % page), end - (end % page) + page - 1n);
  return {
    ram: within.filter(({ kind }) => kind === 'ram'),
    inside: within.filter(({ kind }) => kind === 'holder'),
    beside: around.filter(({ start, end: last }) => last < space.start || start > end),
    unknown: tree.length === 0 ? resources.hidden : tree.some(({ start }) => start === undefined),
  };
}

/** `0xfebf1000-0xfebf1fff "sdhci"`. */
export function formatOccupants(occupants: readonly Occupant[]): string {
  return occupants.map(({ name, start, end }) => `${hex(start)}-${hex(end)} "${name}"`).join(', ');
}
