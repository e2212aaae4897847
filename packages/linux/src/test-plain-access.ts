import type { RegisterAccess, Width } from '@ring3/core';
import { libc, MAP_FIXED, MAP_SHARED, PROT_READ_WRITE } from './libc.ts';
import type { MemoryFile } from './test-memory-file.ts';
import { takeWindow } from './window.ts';

/** Registers by plain typed-array reads, which V8 drops and merges: the control that has to fail. */
export class PlainAccess implements RegisterAccess {
  readonly #u8: Uint8Array;
  readonly #u16: Uint16Array;
  readonly #u32: Uint32Array;

  constructor(buffer: ArrayBuffer, start: number, length: number) {
    this.#u8 = new Uint8Array(buffer, start, length);
    this.#u16 = new Uint16Array(buffer, start, length / 2);
    this.#u32 = new Uint32Array(buffer, start, length / 4);
  }

  read(offset: number, width: Width): number {
    if (width === 32) return this.#u32[offset >>> 2] as number;
    return (width === 16 ? this.#u16[offset >>> 1] : this.#u8[offset]) as number;
  }

  write(offset: number, width: Width, value: number): void {
    if (width === 32) this.#u32[offset >>> 2] = value;
    else if (width === 16) this.#u16[offset >>> 1] = value;
    else this.#u8[offset] = value;
  }
}

/** Maps a file as `mapRegisters` does, for good, and reads it plainly. */
export function mapPlainly(file: MemoryFile, lengthBytes: number): PlainAccess {
  const { memory, start } = takeWindow(lengthBytes);
  const target = new Uint8Array(memory.buffer, start, lengthBytes);
  libc().tryCall('mmap', [target, BigInt(lengthBytes), PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, file.fd, 0n]);
  return new PlainAccess(memory.buffer, start, lengthBytes);
}
