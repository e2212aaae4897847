import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeviceError,
  hex,
  type Logger,
  type MemoryType,
  type RegisterAccess,
  type SpaceDescription,
} from '@ring3/core';
import { deviceErrorOf, errnoOf, SystemCallError } from '@ring3/linux';
import type { Surroundings } from './describe.ts';
import { holdersOf } from './holders.ts';
import type { LocatedSpace } from './locate-spaces.ts';
import type { Native } from './native.ts';
import type { UioSelector } from './selector.ts';

/** Registers of one range, mapped or through ports. */
export interface OpenedRegisters {
  readonly access: RegisterAccess;
  readonly description: SpaceDescription;
  close(): void;
}

/** What {@link openRegisters} needs to know. */
export interface OpenSpaceContext {
  readonly deviceId: string;
  readonly native: Native;
  readonly surroundings: Surroundings;
  readonly settings: Omit<UioSelector, 'select'>;
  readonly log: Logger;
}

/** Opens the best door to a range that lets this process in. @throws DeviceError `permission`, `busy`, `unsupported`. */
export function openRegisters(space: LocatedSpace, context: OpenSpaceContext): OpenedRegisters {
  const { resource } = space;
  const opened = resource.kind === 'port' ? openPortRange(space, context) : mapMemory(space, context);
  const label = resource.bar === undefined ? resource.name : `BAR ${resource.bar}`;
  const hints = context.settings.spaces?.[resource.name ?? ''] ?? context.settings.spaces?.[`bar${resource.bar}`];
  const { widths, byteOrder, flush } = hints ?? {};
  const description: SpaceDescription = {
    name: `${context.deviceId} ${label}`,
    sizeBytes: resource.sizeBytes,
    start: resource.start,
    memoryType: opened.memoryType,
    ...(widths === undefined ? {} : { widths }),
    ...(byteOrder === undefined ? {} : { byteOrder }),
    ...(flush === undefined ? {} : { flush }),
  };
  return { access: opened.access, description, close: opened.close };
}

interface Opened {
  readonly access: RegisterAccess;
  readonly memoryType: MemoryType;
  readonly close: () => void;
}

function mapMemory(space: LocatedSpace, context: OpenSpaceContext): Opened {
  const { native, settings, surroundings } = context;
  const { bar, sizeBytes } = space.resource;
  if (bar !== undefined && settings.writeCombining?.includes(bar)) return mapCombining(space, context);
  let first: unknown;
  for (const door of space.doors) {
    const place = placeOf(door, surroundings);
    if (place === undefined) continue;
    try {
      const mapped = native.map({ ...place, sizeBytes });
      return { access: mapped.access, memoryType: memoryTypeOf(door.kind), close: () => mapped.close() };
    } catch (error) {
      first ??= error;
    }
  }
  throw refusal(first, space, context);
}

type Place = { readonly path: string; readonly fileOffset: bigint; readonly leadBytes: number };

/** A map is selected by an offset of as many pages as its number. Source: Linux, uio-howto.rst, "mmap()". */
function placeOf(door: LocatedSpace['doors'][number], { roots, pageBytes }: Surroundings): Place | undefined {
  if (door.kind === 'resource') return { path: door.path, fileOffset: 0n, leadBytes: 0 };
  if (door.kind !== 'map') return undefined;
  return {
    path: join(roots.dev, door.node),
    fileOffset: BigInt(door.index) * BigInt(pageBytes),
    leadBytes: door.leadBytes,
  };
}

/** On arm64 the doors differ. Source: Linux, uio.c (pgprot_noncached) and arch/arm64 (pgprot_device for sysfs). */
function memoryTypeOf(door: string): MemoryType {
  if (process.arch !== 'arm64') return 'uncached';
  return door === 'map' ? 'device-nGnRnE' : 'device-nGnRE';
}

function mapCombining(space: LocatedSpace, context: OpenSpaceContext): Opened {
  const { bar, sizeBytes } = space.resource;
  const file = space.doors.find((door) => door.kind === 'resource');
  const path = `${file?.path ?? ''}_wc`;
  if (file === undefined || !existsSync(path)) {
    throw new DeviceError(
      'unsupported',
      `${context.deviceId} BAR ${bar}: ${space.prefetchable ? 'this machine offers no write-combining' : 'it is not prefetchable, so write-combining could change what the device sees'}: take it out of writeCombining`,
    );
  }
  try {
    const mapped = context.native.map({ path, fileOffset: 0n, leadBytes: 0, sizeBytes });
    return { access: mapped.access, memoryType: 'write-combining', close: () => mapped.close() };
  } catch (error) {
    throw refusal(error, space, context);
  }
}

function openPortRange(space: LocatedSpace, { deviceId, native, settings, log }: OpenSpaceContext): Opened {
  const { start, sizeBytes } = space.resource;
  const file = space.doors.find((door) => door.kind === 'port-file');
  const way = settings.ports ?? 'auto';
  if (way !== 'file') {
    try {
      return { access: native.openPorts(Number(start), sizeBytes), memoryType: 'port', close: () => {} };
    } catch (error) {
      if (way === 'ioperm' || file === undefined) throw error;
      log.info(
        `${deviceId}: ports ${hex(start, 16)} through ${file.path}, a system call for each word: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  if (file === undefined) {
    throw new DeviceError(
      'unsupported',
      `${deviceId}: ports ${hex(start, 16)} are no BAR, so sysfs has no file for them`,
    );
  }
  try {
    const opened = native.portFile(file.path, sizeBytes);
    return { access: opened, memoryType: 'port', close: () => opened.close() };
  } catch (error) {
    throw deviceErrorOf(error, `${deviceId} ports ${hex(start, 16)}`, { EACCES: RULE, EPERM: LOCKED });
  }
}

const RULE = 'a udev rule must open it to this user (README of backend-uio)';
const LOCKED =
  'the kernel is locked down (Secure Boot): /dev/uioN of a bound UIO driver and VFIO are the ways that stay';

/** What the kernel refused, with what it usually means at these doors. */
function refusal(
  error: unknown,
  { resource }: LocatedSpace,
  { deviceId, surroundings }: OpenSpaceContext,
): DeviceError {
  const what = `${deviceId} ${resource.name ?? `BAR ${resource.bar}`}, ${hex(resource.sizeBytes)} bytes at ${hex(resource.start)}`;
  if (!(error instanceof SystemCallError)) {
    return error instanceof DeviceError ? error : deviceErrorOf(error, what);
  }
  const holders = holdersOf(resource, surroundings.roots.proc, surroundings.pageBytes);
  const refused = deviceErrorOf(error, what, {
    EACCES: RULE,
    EPERM: LOCKED,
    ENODEV: 'its address is not that of a page: the kernel driver must publish whole pages',
    EINVAL: holders === '' ? 'its map is smaller than a page, or the kernel keeps it to itself' : `${holders} has it`,
  });
  if (errnoOf(error) !== 'EINVAL') return refused;
  return new DeviceError(holders === '' ? 'unsupported' : 'busy', refused.message, { cause: error });
}
