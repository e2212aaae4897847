import { DeviceError, hex, type SpaceResource, type Width } from '@ring3/core';
import type { KernelResources } from '@ring3/linux';
import { rangesNamed } from './occupants.ts';
import type { AddressSelector, DevmemSelector, MemorySelector, PortSelector, ResourceSelector } from './selector.ts';

/** A space as it will be opened. */
export interface PlannedSpace {
  readonly resource: SpaceResource & { readonly name: string };
  readonly widths: readonly Width[] | undefined;
  readonly byteOrder: 'little' | 'big' | undefined;
  readonly flush: { readonly offset: number; readonly width: Width } | undefined;
  /** Ports only. */
  readonly through: 'ioperm' | 'dev-port' | undefined;
}

const PORTS = 0x1_0000;
const ADDRESSES = 2n ** 64n;

/**
 * The spaces of a selector, with addresses for names. Looks at what the kernel says, not at the hardware.
 * @throws DeviceError `config` for what cannot be, `not-found` for a name that the kernel does not have, `permission`
 *   for a name whose addresses it hides.
 */
export function planSpaces(selector: DevmemSelector, kernel: KernelResources): PlannedSpace[] {
  const memory = (selector.memory ?? []).map((wanted) => plan(selector, wanted, memoryRange(wanted, kernel)));
  const ports = (selector.ports ?? []).map((wanted) => plan(selector, wanted, portRange(wanted), wanted.through));
  const planned = [...memory, ...ports];
  if (planned.length === 0) throw config('no registers are named: add memory: or ports:');
  for (const space of planned) checkSpace(space);
  checkTogether(planned);
  return planned;
}

function plan(
  device: DevmemSelector,
  { name, widths, byteOrder, flush }: MemorySelector | PortSelector,
  range: Omit<SpaceResource, 'name'>,
  through?: 'ioperm' | 'dev-port',
): PlannedSpace {
  return {
    resource: { ...range, name },
    widths: widths ?? device.widths ?? defaultWidths(range, through),
    byteOrder: byteOrder ?? device.byteOrder,
    flush,
    through: range.kind === 'port' ? (through ?? 'ioperm') : undefined,
  };
}

/** x86 ports of any width may be at any number; memory that is not aligned faults on ARM. */
function defaultWidths(
  { kind, start }: Omit<SpaceResource, 'name'>,
  through: 'ioperm' | 'dev-port' | undefined,
): readonly Width[] | undefined {
  if (kind === 'port') return through === 'dev-port' ? [8] : undefined;
  return isAligned(start, 32) ? undefined : isAligned(start, 16) ? [8, 16] : [8];
}

function isAligned(address: bigint, width: Width): boolean {
  return address % BigInt(width / 8) === 0n;
}

function memoryRange(wanted: MemorySelector, kernel: KernelResources): Omit<SpaceResource, 'name'> {
  if ('resource' in wanted) return namedRange(wanted, kernel);
  const start = addressOf(wanted);
  if (start + BigInt(wanted.size) > ADDRESSES) {
    throw config(`${wanted.name}: ${hex(wanted.size)} bytes at ${hex(start)} end beyond 64 bits of address`);
  }
  return { kind: 'memory', start, sizeBytes: wanted.size };
}

function addressOf({ name, address }: AddressSelector): bigint {
  try {
    return BigInt(address);
  } catch {
    throw config(`${name}: ${address} is no address: write a number, or a string like "0x43c00000"`);
  }
}

function namedRange({ name, resource }: ResourceSelector, kernel: KernelResources): Omit<SpaceResource, 'name'> {
  const found = rangesNamed(kernel.memory, resource);
  const [only] = found;
  if (found.length > 1 && only?.start !== undefined) {
    const places = found.map(({ start = 0n, end = 0n }) => `${hex(start)}-${hex(end)}`).join(', ');
    throw config(`${name}: /proc/iomem has several ranges "${resource}" (${places}): give address and size instead`);
  }
  if (only?.start !== undefined && only.end !== undefined) {
    return { kind: 'memory', start: only.start, sizeBytes: Number(only.end - only.start + 1n) };
  }
  if (only !== undefined || kernel.memory.length === 0) {
    throw new DeviceError(
      'permission',
      `devmem: ${name}: the address of "${resource}" is not known: /proc/iomem hides addresses from this process; run it with CAP_SYS_ADMIN, or give address and size`,
    );
  }
  throw new DeviceError(
    'not-found',
    `devmem: ${name}: /proc/iomem has no range "${resource}": compare with "sudo cat /proc/iomem", or give address and size`,
  );
}

function portRange({ name, start, size }: PortSelector): Omit<SpaceResource, 'name'> {
  if (start + size > PORTS) {
    throw config(`${name}: ports ${hex(start, 16)}-${hex(start + size - 1, 16)}, but there are only 0x0000-0xffff`);
  }
  return { kind: 'port', start: BigInt(start), sizeBytes: size };
}

function checkSpace({ resource, widths, flush, through }: PlannedSpace): void {
  const { name, start, sizeBytes } = resource;
  const allowed = widths ?? [8, 16, 32];
  if (through === 'dev-port' && allowed.some((width) => width !== 8)) {
    throw config(`${name}: /dev/port does 8-bit accesses only: write widths: [8], or take ioperm`);
  }
  const unaligned = resource.kind === 'memory' ? allowed.find((width) => !isAligned(start, width)) : undefined;
  if (unaligned !== undefined) {
    throw config(
      `${name}: ${hex(start)} is not a multiple of ${unaligned / 8}, so accesses of ${unaligned} bits would not be aligned: correct the address, or leave that width out of widths:`,
    );
  }
  if (flush !== undefined) checkRegister(`${name}: flush`, flush, sizeBytes, allowed);
}

/** Refuses a register that is not in its space. */
export function checkRegister(
  what: string,
  { offset, width }: { readonly offset: number; readonly width: Width },
  sizeBytes: number,
  widths: readonly Width[],
): void {
  if (offset + width / 8 > sizeBytes || offset % (width / 8) !== 0) {
    throw config(`${what}: no register of ${width} bits at ${hex(offset)} in a space of ${hex(sizeBytes)} bytes`);
  }
  if (!widths.includes(width)) throw config(`${what}: ${width} bits, but the device takes ${widths.join(', ')}`);
}

function checkTogether(planned: readonly PlannedSpace[]): void {
  for (const [index, { resource: one }] of planned.entries()) {
    for (const { resource: other } of planned.slice(0, index)) {
      if (one.name === other.name) throw config(`two spaces are called ${one.name}: a driver asks for them by name`);
      if (one.kind === other.kind && one.start < endOf(other) && other.start < endOf(one)) {
        throw config(
          `${one.name} at ${hex(one.start)} overlaps ${other.name} at ${hex(other.start)}: each address belongs to one space`,
        );
      }
    }
  }
}

/** The address behind the last one of a range. */
function endOf({ start, sizeBytes }: SpaceResource): bigint {
  return start + BigInt(sizeBytes);
}

/** What the configuration asks for and cannot be. */
export function config(message: string): DeviceError {
  return new DeviceError('config', `devmem: ${message}`);
}
