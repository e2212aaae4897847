import { closeSync, ftruncateSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DeviceError, type DmaArena, DmaPool } from '@ring3/core';
import { libc, MAP_FIXED, MAP_POPULATE, MAP_SHARED, MFD_CLOEXEC, MFD_HUGE_PAGES, PROT_READ_WRITE } from './libc.ts';
import { mapZeros, windowBytes } from './overlay.ts';
import { physicalAddresses } from './physical-address.ts';
import { type LinuxRoots, linuxRoots } from './roots.ts';
import { deviceErrorOf } from './system-call-error.ts';
import { giveWindow, LARGEST_WINDOW, takeWindow, type Window } from './window.ts';

/** The size of one of them, in bytes: 2 MiB, the huge page that every x86-64 processor has. */
const HUGE_PAGE_BYTES = 0x20_0000;
/** As descriptions of devices name it. */
export const HUGE_PAGE_MEMORY = 'huge pages, physical addresses';

const SYSFS = 'kernel/mm/hugepages/hugepages-2048kB';

/** Memory for DMA at physical addresses, of this process alone. */
export interface HugePages {
  readonly pool: DmaPool;
  /** Gives the pages to the kernel, and by that to anybody: no device may know them any more. A second call does nothing. */
  close(): void;
}

/**
 * Takes huge pages from the kernel, which never swaps them, and finds their physical addresses; pages that lie side by side
 * in physical memory make one arena.
 * @param sizeBytes a multiple of 2 MiB.
 * @throws DeviceError `unsupported` where there are none or caches are not coherent, `permission` without CAP_SYS_ADMIN.
 */
export function openHugePages(sizeBytes: number, roots?: LinuxRoots): HugePages {
  const { sys, proc } = linuxRoots(roots);
  const obstacle = hugePageObstacle(sizeBytes, { sys });
  if (obstacle !== undefined) throw new DeviceError('unsupported', obstacle);
  const window = takeWindow(sizeBytes + HUGE_PAGE_BYTES);
  try {
    const { start, order } = mapInOrder(window, sizeBytes, proc);
    const pool = new DmaPool(
      HUGE_PAGE_MEMORY,
      joinPages(windowBytes(window).subarray(start, start + sizeBytes), order),
    );
    return { pool, close: once(() => release(window)) };
  } catch (error) {
    release(window);
    throw deviceErrorOf(error, `${mebibytes(sizeBytes)} of memory for DMA`, {
      ENOMEM: shortage(sizeBytes, sys),
      ENOSYS: 'a kernel of 4.14 or later is needed',
    });
  }
}

/** Why there will never be huge pages of this size as the machine is now, whoever has them. */
export function hugePageObstacle(
  sizeBytes: number,
  roots?: LinuxRoots,
  arch: string = process.arch,
): string | undefined {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 1 || sizeBytes % HUGE_PAGE_BYTES !== 0) {
    return `huge pages: ${sizeBytes} bytes are no multiple of 2 MiB`;
  }
  if (sizeBytes + HUGE_PAGE_BYTES > LARGEST_WINDOW)
    return `huge pages: ${mebibytes(sizeBytes)} are more than can be mapped`;
  if (arch !== 'x64') {
    return `huge pages: on ${arch} the caches may have to be told of transfers, which a process cannot do: u-dma-buf or VFIO are the ways there`;
  }
  const { sys } = linuxRoots(roots);
  const total = numberIn(join(sys, SYSFS, 'nr_hugepages')) ?? 0;
  return total * HUGE_PAGE_BYTES >= sizeBytes ? undefined : shortage(sizeBytes, sys);
}

function shortage(sizeBytes: number, sys: string): string {
  const pages = sizeBytes / HUGE_PAGE_BYTES;
  const file = join(sys, SYSFS, 'nr_hugepages');
  const total = numberIn(file);
  if (total === undefined)
    return `huge pages: this kernel has none of 2 MiB (${file} is not there): take one with CONFIG_HUGETLBFS`;
  const free = numberIn(join(sys, SYSFS, 'free_hugepages')) ?? 0;
  return `huge pages: ${pages} of 2 MiB are needed, ${free} of ${total} are free: as root "echo ${total - free + pages} > ${file}", or hugepages=${total - free + pages} on the kernel's command line where memory is in pieces by now`;
}

/** Maps pages by rising physical address. @returns where the first one is in the window, and the addresses of all. */
function mapInOrder(window: Window, sizeBytes: number, proc: string): { start: number; order: readonly bigint[] } {
  const fd = libc().tryCall('memfd_create', ['ring3-dma', MFD_CLOEXEC | MFD_HUGE_PAGES]) as number;
  try {
    ftruncateSync(fd, sizeBytes);
    const pages = findPages(fd, sizeBytes, proc).sort((one, other) => (one.physical < other.physical ? -1 : 1));
    const start = Number(BigInt.asUintN(21, -mapZeros(window)));
    for (const [index, { fileOffset }] of pages.entries()) {
      const place = windowBytes(window).subarray(
        start + index * HUGE_PAGE_BYTES,
        start + (index + 1) * HUGE_PAGE_BYTES,
      );
      const flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
      libc().tryCall('mmap', [place, BigInt(HUGE_PAGE_BYTES), PROT_READ_WRITE, flags, fd, BigInt(fileOffset)]);
    }
    return { start, order: pages.map(({ physical }) => physical) };
  } finally {
    closeSync(fd); // The mapping keeps the pages.
  }
}

/** Has the kernel fill the file with pages, at a place of its own choice: a refusal must leave no hole in V8's memory. */
function findPages(fd: number, sizeBytes: number, proc: string): { fileOffset: number; physical: bigint }[] {
  const length = BigInt(sizeBytes);
  const flags = MAP_SHARED | MAP_POPULATE;
  const probe = libc().tryCall('mmapAt', [0n, length, PROT_READ_WRITE, flags, fd, 0n]) as bigint;
  try {
    const offsets = Array.from({ length: sizeBytes / HUGE_PAGE_BYTES }, (_, index) => index * HUGE_PAGE_BYTES);
    const physical = physicalAddresses(
      offsets.map((offset) => probe + BigInt(offset)),
      proc,
    );
    return offsets.map((fileOffset, index) => ({ fileOffset, physical: physical[index] ?? 0n }));
  } finally {
    libc().tryCall('munmap', [probe, length]);
  }
}

/** Cuts memory into pieces with consecutive physical addresses. */
export function joinPages(bytes: Uint8Array, physical: readonly bigint[]): DmaArena[] {
  const arenas: { busAddress: bigint; bytes: Uint8Array }[] = [];
  for (const [index, busAddress] of physical.entries()) {
    const end = (index + 1) * HUGE_PAGE_BYTES;
    const last = arenas.at(-1);
    if (last !== undefined && last.busAddress + BigInt(last.bytes.length) === busAddress) {
      const first = end - HUGE_PAGE_BYTES - last.bytes.length;
      last.bytes = bytes.subarray(first, end);
    } else {
      arenas.push({ busAddress, bytes: bytes.subarray(end - HUGE_PAGE_BYTES, end) });
    }
  }
  return arenas;
}

function release(window: Window): void {
  mapZeros(window);
  giveWindow(window);
}

function once(step: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    step();
    done = true;
  };
}

function mebibytes(bytes: number): string {
  return `${bytes / 2 ** 20} MiB`;
}

function numberIn(path: string): number | undefined {
  try {
    const value = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
