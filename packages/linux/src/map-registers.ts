import { endianness } from 'node:os';
import { DeviceError, hex } from '@ring3/core';
import { requireEngine } from './engine.ts';
import { pageSizeBytes } from './libc.ts';
import { type MapOptions, type MappedMemory, type MappedRegisters, Mapping } from './mapping.ts';
import { LARGEST_WINDOW, usedWindowBytes } from './window.ts';

/**
 * Maps registers, `MAP_SHARED`. The mapping lives until `close()`, whether or not something refers to it, and no longer
 * than the thread that made it. Also in a worker, when the main thread has mapped something before the worker began.
 * A device that goes away can answer an access with SIGBUS, which ends the process.
 * @throws SystemCallError `open` or `mmap` with the errno of the kernel.
 * @throws RangeError for numbers that no mapping can have.
 * @throws DeviceError `unsupported` on a 32-bit or big-endian host, or when no address space is left.
 */
export function mapRegisters(options: MapOptions): MappedRegisters {
  return newMapping(options);
}

/** Maps memory that is shared with a device or with another process, under the rules of {@link mapRegisters}. */
export function mapMemory(options: MapOptions): MappedMemory {
  return newMapping(options);
}

function newMapping(options: MapOptions): Mapping {
  refuseHost(endianness(), process.arch);
  check(options);
  requireEngine();
  return new Mapping(options);
}

/** The pages that hold `sizeBytes` bytes from address or file offset `start`. */
export function pageSpan(
  start: bigint,
  sizeBytes: number,
  pageBytes: number,
): { readonly fileOffset: bigint; readonly leadBytes: number; readonly lengthBytes: number } {
  const leadBytes = Number(start % BigInt(pageBytes));
  return { fileOffset: start - BigInt(leadBytes), leadBytes, lengthBytes: roundUp(leadBytes + sizeBytes, pageBytes) };
}

/** How many bytes this thread has mapped now, in whole pages. */
export function mappedBytes(): number {
  return usedWindowBytes();
}

/** @throws DeviceError `unsupported` on a host whose registers would be read wrongly. */
export function refuseHost(byteOrder: string, arch: string): void {
  if (byteOrder === 'BE') {
    throw new DeviceError(
      'unsupported',
      `${arch} is a big-endian host: mapped registers need a little-endian one, such as x64 or arm64`,
    );
  }
  if (arch === 'arm' || arch === 'ia32') {
    throw new DeviceError('unsupported', `${arch} is a 32-bit host: mapped registers need a 64-bit one, x64 or arm64`);
  }
}

function check({ path, fileOffset, leadBytes, sizeBytes, lengthBytes }: MapOptions): void {
  const page = BigInt(pageSizeBytes());
  if (fileOffset < 0n || fileOffset % page !== 0n) {
    throw new RangeError(`${path}: file offset ${fileOffset} is not a multiple of the page size ${page}`);
  }
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1) {
    throw new RangeError(`${path}: ${sizeBytes} is not a size in bytes`);
  }
  if (!Number.isSafeInteger(leadBytes) || leadBytes < 0 || leadBytes % 4 !== 0) {
    throw new RangeError(`${path}: registers ${leadBytes} bytes into a mapping: a multiple of 4 is needed`);
  }
  if (lengthBytes !== undefined && (!Number.isSafeInteger(lengthBytes) || lengthBytes < leadBytes + sizeBytes)) {
    throw new RangeError(`${path}: a mapping of ${lengthBytes} bytes does not hold ${leadBytes} + ${sizeBytes} bytes`);
  }
  const bytes = lengthBytes ?? leadBytes + sizeBytes;
  if (bytes > LARGEST_WINDOW) {
    throw new RangeError(`${path}: a mapping of ${hex(bytes)} bytes is too large: the limit is ${hex(LARGEST_WINDOW)}`);
  }
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
