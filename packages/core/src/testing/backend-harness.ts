import type { Backend, OpenDevice } from '../backend.ts';
import type { InterruptSource } from '../interrupt-source.ts';
import type { Width } from '../register-access.ts';
import type { RegisterSpace } from '../register-space.ts';
import type { ConformanceCase, ConformanceHarness } from './conformance.ts';

/** What not every backend, or not every device at hand, can do. */
export type BackendAbility =
  | 'absent'
  | 'count-accesses'
  | 'count-mappings'
  | 'exclusive'
  | 'fifo-read'
  | 'fifo-write'
  | 'level'
  | 'edge'
  | 'message'
  | 'shared-line'
  | 'remove';

/** A register of the test device. */
export interface Place {
  /** Index of the space in the description. */
  readonly space: number;
  readonly offset: number;
  readonly width: Width;
}

/** The spaces of the test device as they were opened, in the order of the description. */
export type Spaces = readonly RegisterSpace[];

/** A level interrupt of the test device. */
export interface LevelInterrupt {
  /** Index in the description. */
  readonly index: number;
  /** Makes the device assert the level. */
  readonly raise: (spaces: Spaces) => void;
  /** Makes it let go; called by the owner's handler. */
  readonly clear: (spaces: Spaces) => void;
}

/** An edge interrupt that announces work. */
export interface EdgeInterrupt {
  readonly index: number;
  /** Gives the device one more piece of work to announce, with one edge. */
  readonly raise: (spaces: Spaces) => void;
  /** Takes one piece of work. @returns false when there is none. */
  readonly take: (spaces: Spaces) => boolean;
}

/** A message interrupt (MSI, eventfd). */
export interface MessageInterrupt {
  readonly index: number;
  readonly send: (spaces: Spaces) => void;
}

/** A backend with a test device, for one test. What it has no hands for, it leaves out and names in `cannot`. */
export interface BackendFixture {
  readonly backend: Backend;
  /** Selects the test device. */
  readonly selector: unknown;
  /** Lets the device's time pass until the promise settles; on real time it returns the promise. */
  readonly settle: <T>(promise: Promise<T>) => Promise<T>;
  /** Resolves when everything that the device has caused until now was delivered. */
  readonly quiet: () => Promise<void>;
  /** Registers, at least one, that read what was last written to them, whatever that is. */
  readonly scratch: readonly [Place, ...Place[]];
  /** How often accesses are repeated that are counted. Default 1000. */
  readonly repetitions?: number;
  /** Ability `absent`: selects nothing that is there. */
  readonly absent?: unknown;
  /** Ability `count-accesses`. */
  readonly counter?: {
    /** A register whose accesses are counted; reading it has no effect. */
    readonly place: Place;
    /** How many accesses the device has seen since the last call: all of them, or those of `place` only. */
    readonly accesses: (spaces: Spaces) => number | Promise<number>;
  };
  /** Ability `count-mappings`: how many spaces of the device are mapped now. */
  readonly mappings?: () => number | Promise<number>;
  /** Ability `fifo-read`. */
  readonly fifoRead?: {
    readonly place: Place;
    /** Makes the device offer bytes, a multiple of 16, in the FIFO; returns them. */
    readonly offer: (spaces: Spaces) => Uint8Array | Promise<Uint8Array>;
  };
  /** Ability `fifo-write`. */
  readonly fifoWrite?: {
    readonly place: Place;
    /** How many bytes the test writes; a multiple of 16. */
    readonly lengthBytes: number;
    /** The bytes that the device took since it was opened. */
    readonly taken: (spaces: Spaces) => Uint8Array | Promise<Uint8Array>;
  };
  readonly level?: LevelInterrupt;
  readonly edge?: EdgeInterrupt;
  readonly message?: MessageInterrupt;
  /** Ability `shared-line`: another device whose level interrupt shares its line with `level`. */
  readonly neighbour?: { readonly selector: unknown; readonly level: LevelInterrupt };
  /** Ability `remove`: pulls the device out. */
  readonly remove?: () => void | Promise<void>;
  /** Gives everything back, whatever the test did. */
  readonly stop: () => Promise<void>;
}

/** What {@link backendConformance} runs on. */
export type BackendHarness = ConformanceHarness<BackendFixture, BackendAbility>;

/** One law of the suite. */
export type BackendCase = ConformanceCase<BackendFixture, BackendAbility>;

/** The test device, opened with all its spaces. */
export interface Opened {
  readonly device: OpenDevice;
  readonly spaces: Spaces;
}

/** Opens the device that `selector` names, and all its spaces. */
export async function openDevice(fixture: BackendFixture, selector = fixture.selector): Promise<Opened> {
  const device = await fixture.settle(fixture.backend.open(selector));
  const spaces: RegisterSpace[] = [];
  for (const resource of device.description.spaces) spaces.push(await device.openSpace(resource));
  return { device, spaces };
}

/** Opens the interrupt with this index of the description. */
export async function openInterrupt({ device }: Opened, index: number): Promise<InterruptSource> {
  const resource = device.description.interrupts[index];
  if (resource === undefined) throw new Error(`the description has no interrupt ${index}`);
  return device.openInterrupt(resource);
}

/** The space of a place. */
export function spaceOf(spaces: Spaces, place: Place): RegisterSpace {
  const space = spaces[place.space];
  if (space === undefined) throw new Error(`the description has no space ${place.space}`);
  return space;
}

/** One read of a place, of its width. */
export function readAt(spaces: Spaces, place: Place): number {
  const space = spaceOf(spaces, place);
  if (place.width === 8) return space.read8(place.offset);
  return place.width === 16 ? space.read16(place.offset) : space.read32(place.offset);
}

/** One write to a place, of its width. */
export function writeAt(spaces: Spaces, place: Place, value: number): void {
  const space = spaceOf(spaces, place);
  if (place.width === 8) space.write8(place.offset, value);
  else if (place.width === 16) space.write16(place.offset, value);
  else space.write32(place.offset, value);
}

/** The largest value of a place. */
export function allOnes({ width }: Place): number {
  return 2 ** width - 1;
}
