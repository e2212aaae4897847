import { join } from 'node:path';
import { DeviceError, type MemoryType, type RegisterAccess } from '@ring3/core';
import { devPortAccess, mapRegisters, openPorts, pageSpan } from '@ring3/linux';
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
    // Mappings of registers begin at whole words.
    const skipBytes = span.leadBytes % 4;
    const mapped = mapRegisters({
      ...span,
      path: join(around.dev, 'mem'),
      leadBytes: span.leadBytes - skipBytes,
      sizeBytes: sizeBytes + skipBytes,
      syncOpen: true,
    });
    const access = skipBytes === 0 ? mapped.access : shifted(mapped.access, skipBytes);
    return { access, memoryType: memoryTypeOf(around.arch), close: () => mapped.close() };
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw memoryFailure(error, space, around);
  }
}

/** The registers from `skipBytes` on: 8 and 16 bits only, since such a space takes no more. */
function shifted(access: RegisterAccess, skipBytes: number): RegisterAccess {
  return {
    read: (offset, width) => access.read(offset + skipBytes, width),
    write: (offset, width, value) => access.write(offset + skipBytes, width, value),
    barrier: () => access.barrier?.(),
  };
}

/** Gets ports for this thread. The permission of ioperm lasts as long as the thread: closing gives nothing back. */
function reachPorts({ resource, through }: PlannedSpace, { dev }: Surroundings): Reached {
  const start = Number(resource.start);
  if (through === 'dev-port') {
    const access = devPortAccess(start, resource.sizeBytes, { dev });
    return { access, memoryType: 'port', close: () => access.close() };
  }
  return { access: openPorts(start, resource.sizeBytes), memoryType: 'port', close: () => {} };
}

/** Reaches the registers of a space. @throws DeviceError with cause and remedy. */
export function reach(space: PlannedSpace, around: Surroundings): Reached {
  return space.resource.kind === 'memory' ? reachMemory(space, around) : reachPorts(space, around);
}
