import {
  type Backend,
  type DeviceClaim,
  DeviceError,
  isDeviceError,
  MemoryRegion,
  type OpenDevice,
  type RegisterSpace,
  type SpaceResource,
} from '@ring3/core';
import { loaderFor } from '../config-source.ts';
import { UsageError } from '../usage-error.ts';
import { rememberBusMaster } from './bus-master.ts';
import { type ChosenDevice, chooseDevice, openBackend, withoutDriver } from './choose-device.ts';
import { findPlace, type NamedSpace, namedSpaces, type Place } from './find-register.ts';
import type { AccessWidth } from './numbers.ts';
import type { TargetText } from './target-text.ts';

/** How a command reaches a device. */
export interface ReachOptions {
  /** The configuration that names devices. */
  readonly config?: string;
  /** Also when another ring3 has claimed it. */
  readonly shared?: boolean;
}

/** What is to be accessed. */
export interface TargetRequest extends ReachOptions {
  /** Who claims it, for those who are refused meanwhile: `ring3 peek`. */
  readonly holder: string;
  /** How many bytes from the target on. */
  readonly lengthBytes: number;
}

/** Registers, opened and claimed until {@link close}. */
export interface OpenTarget {
  readonly space: RegisterSpace;
  readonly simulated: boolean;
  close(): Promise<void>;
}

/**
 * Where a target is, without opening it: the commands ask their questions before they touch anything.
 * The backend is open until {@link close}.
 */
export interface FoundTarget {
  /** What is added to an offset where it is shown: the address itself where one was typed, otherwise 0. */
  readonly base: bigint;
  /** What the driver knows of it; `undefined` for bare addresses. */
  readonly place: Place | undefined;
  /** Offset in the space. */
  readonly offset: number;
  open(request: TargetRequest): Promise<OpenTarget>;
  close(): Promise<void>;
}

/** Finds what was typed. @throws UsageError, DeviceError `not-found`. */
export async function findTarget(target: TargetText, options: ReachOptions): Promise<FoundTarget> {
  if (target.kind === 'address') return findAddress(target);
  const chosen =
    target.kind === 'pci'
      ? await chooseDevice({ pci: target.pci }, options)
      : await chooseDevice({ device: target.device }, options);
  try {
    const place =
      target.kind === 'pci'
        ? { space: barOf(chosen, target.bar), register: undefined }
        : findPlace(target.device, namedSpaces(chosen.description, chosen.driver, chosen.driverOptions), target.path);
    const offset = offsetOf(place, target.offset);
    return {
      base: 0n,
      place,
      offset,
      open: (request) => openSpace(chosen, place.space.resource, request),
      close: () => chosen.close(),
    };
  } catch (error) {
    await chosen.close();
    throw error;
  }
}

function barOf({ description }: ChosenDevice, bar: number): NamedSpace {
  const spaces = namedSpaces(description);
  const found = spaces.find(({ resource }) => resource.bar === bar);
  if (found !== undefined) return found;
  const there = spaces.flatMap(({ names }) => names).join(', ') || 'none';
  throw new DeviceError('not-found', `${description.id} has no bar${bar}; there is: ${there}`);
}

function offsetOf({ register }: Place, offset: number | undefined): number {
  if (register === undefined) return offset ?? 0;
  if (offset === undefined) return register.definition.offset;
  throw new UsageError(`${register.name} is one register: write SPACE+OFFSET for what is behind it`);
}

/** A bare address becomes a device of its own, exactly as large as what is accessed. */
async function findAddress({ space: kind, address }: Extract<TargetText, { kind: 'address' }>): Promise<FoundTarget> {
  const backend = await openBackend(loaderFor({ file: 'ring3.yaml' }), 'devmem');
  const open = async (request: TargetRequest) => {
    const size = request.lengthBytes;
    const selector =
      kind === 'memory'
        ? { memory: [{ name: 'memory', address: `0x${address.toString(16)}`, size }] }
        : { ports: [{ name: 'ports', start: Number(address), size }] };
    const description = await backend.describe(selector);
    const [resource] = description.spaces;
    if (resource === undefined) throw new DeviceError('not-found', `there is nothing at ${address}`);
    return openSpace(withoutDriver(backend, selector, description), resource, request);
  };
  return { base: address, place: undefined, offset: 0, open, close: () => backend.close() };
}

async function openSpace(
  { backend, selector, description }: ChosenDevice,
  resource: SpaceResource,
  { shared, holder }: TargetRequest,
): Promise<OpenTarget> {
  const claim = shared === true ? undefined : await claimDevice(backend, selector, holder);
  const restore = shared === true ? rememberBusMaster(description) : () => {};
  let device: OpenDevice | undefined;
  // Whatever fails: a claim lasts until the device is closed, and a device that others drive goes on.
  const close = async () => {
    try {
      await device?.close();
    } finally {
      restore();
      await claim?.release();
    }
  };
  try {
    device = await backend.open(selector);
    const space = await device.openSpace(resource);
    return {
      space,
      simulated: description.simulated,
      close: async () => {
        space.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws DeviceError `busy` that names the holder and the way round it. */
export async function claimDevice(
  backend: Backend,
  selector: unknown,
  holder: string,
): Promise<DeviceClaim | undefined> {
  try {
    return await backend.claim?.(selector, holder);
  } catch (error) {
    if (!isDeviceError(error, 'busy')) throw error;
    throw new DeviceError('busy', `${error.message}; --shared goes on all the same, beside its driver`, {
      cause: error,
    });
  }
}

/** One read access. @throws UsageError for a width that the device or the bus does not take. */
export function readOnce({ space }: OpenTarget, offset: number, width: AccessWidth): number | bigint {
  return access(() => {
    if (width === 8) return space.read8(offset);
    if (width === 16) return space.read16(offset);
    return width === 32 ? space.read32(offset) : wide(space).read64(offset);
  });
}

/** One write access. @throws UsageError for a width that the device or the bus does not take. */
export function writeOnce({ space }: OpenTarget, offset: number, width: AccessWidth, value: bigint): void {
  access(() => {
    if (width === 64) wide(space).write64(offset, value);
    else if (width === 32) space.write32(offset, Number(value));
    else if (width === 16) space.write16(offset, Number(value));
    else space.write8(offset, Number(value));
  });
}

function access<T>(once: () => T): T {
  try {
    return once();
  } catch (error) {
    if (error instanceof RangeError || isDeviceError(error, 'unsupported')) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

function wide(space: RegisterSpace): MemoryRegion {
  if (space instanceof MemoryRegion) return space;
  throw new UsageError('I/O ports have no 64-bit accesses');
}
