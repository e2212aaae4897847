import { libc, MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, PROT_READ_WRITE } from './libc.ts';
import type { Window } from './window.ts';

/** What JavaScript sees of a window. */
export function windowBytes({ memory, start, lengthBytes }: Window): Uint8Array {
  return new Uint8Array(memory.buffer, start, lengthBytes);
}

/** Puts zeros over whatever is mapped in a window. @returns where the window is in this process. */
export function mapZeros(window: Window): bigint {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  const values = [windowBytes(window), BigInt(window.lengthBytes), PROT_READ_WRITE, flags, -1, 0n] as const;
  return libc().tryCall('mmap', values) as bigint;
}
