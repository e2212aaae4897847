import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceError } from '@ring3/core';
import { deviceErrorOf } from './system-call-error.ts';

/** `/proc/PID/pagemap` has 64 bits for each page of 4 KiB. Source: Linux, Documentation/admin-guide/mm/pagemap.rst. */
const ENTRY_BYTES = 8;
const PAGE_BYTES = 4096n;
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;

const CAPABILITY =
  'run it as root, or with AmbientCapabilities=CAP_SYS_ADMIN in its systemd unit; a container needs that of the machine';

/**
 * Where pages of this process are in physical memory; they must be such that the kernel does not move them.
 * @param addresses where they begin in this process, multiples of 4 KiB.
 * @throws DeviceError `permission` without CAP_SYS_ADMIN, `fault` for a page that is not there.
 */
export function physicalAddresses(addresses: readonly bigint[], proc: string): bigint[] {
  const path = join(proc, 'self/pagemap');
  const what = 'where memory for DMA is';
  try {
    const fd = openSync(path, 'r');
    try {
      return addresses.map((address) => physicalAddressOf(readEntry(fd, address), path));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw deviceErrorOf(error, what, { EPERM: CAPABILITY, EACCES: CAPABILITY });
  }
}

function readEntry(fd: number, address: bigint): bigint {
  const entry = new BigUint64Array(1);
  const position = (address / PAGE_BYTES) * BigInt(ENTRY_BYTES);
  const read = readSync(fd, new Uint8Array(entry.buffer), 0, ENTRY_BYTES, position);
  return read === ENTRY_BYTES ? (entry[0] ?? 0n) : 0n;
}

function physicalAddressOf(entry: bigint, path: string): bigint {
  if ((entry & PRESENT) === 0n) {
    throw new DeviceError(
      'fault',
      `${path} says that a page is not there: a limit of the control group may be in the way`,
    );
  }
  const frame = entry & FRAME;
  if (frame !== 0n) return frame * PAGE_BYTES;
  throw new DeviceError(
    'permission',
    `${path} shows no physical addresses to this process, which has no CAP_SYS_ADMIN: ${CAPABILITY}`,
  );
}
