import { join } from 'node:path';
import { DeviceError, type MemoryType } from '@ring3/core';
import { mapRegisters, pageSpan } from '@ring3/linux';
import type { Reached } from './devmem-device.ts';
import type { Surroundings } from './obstacles.ts';
import { memoryFailure } from './open-failure.ts';
import type { PlannedSpace } from './planned-space.ts';

/**
 * How the kernel maps what is not RAM. Sources: arch/x86/mm/pat and arch/arm64/mm/mmu.c of Linux
 * (phys_mem_access_prot): with O_SYNC uncached on x86, Device-nGnRnE on arm64 whatever the flags.
 */
function memoryTypeOf(arch: string): MemoryType {
  return arch === 'arm64' ? 'device-nGnRnE' : 'uncached';
}

/** Maps a range of `/dev/mem`. @throws DeviceError that says which rule of the kernel is in the way. */
function reachMemory(space: PlannedSpace, around: Surroundings): Reached {
  const { start, sizeBytes } = space.resource;
  try {
    const span = pageSpan(start, sizeBytes, around.pageBytes);
    const mapped = mapRegisters({ ...span, path: join(around.dev, 'mem'), sizeBytes, syncOpen: true });
    return { access: mapped.access, memoryType: memoryTypeOf(around.arch), close: () => mapped.close() };
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw memoryFailure(error, space, around);
  }
}

/** Reaches the registers of a space. @throws DeviceError with cause and remedy. */
export function reach(space: PlannedSpace, around: Surroundings): Reached {
  if (space.resource.kind === 'memory') return reachMemory(space, around);
  throw new DeviceError('unsupported', 'devmem: ports come next');
}
