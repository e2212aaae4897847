import type { RegisterAccess, Width } from '../register-access.ts';

/** A bus of plain memory that writes down each access in words: `read8 0x4`, `write16 0x0 = 0x1234`. */
export class RecordingAccess implements RegisterAccess {
  readonly memory: DataView;
  readonly #log: string[] = [];

  constructor(sizeBytes = 0x40) {
    this.memory = new DataView(new ArrayBuffer(sizeBytes));
  }

  /** What was done since the last call. */
  log(): string[] {
    return this.#log.splice(0);
  }

  read(offset: number, width: Width): number {
    this.#log.push(`read${width} 0x${offset.toString(16)}`);
    if (width === 8) return this.memory.getUint8(offset);
    return width === 16 ? this.memory.getUint16(offset, true) : this.memory.getUint32(offset, true);
  }

  write(offset: number, width: Width, value: number): void {
    this.#log.push(`write${width} 0x${offset.toString(16)} = 0x${value.toString(16)}`);
    if (width === 8) this.memory.setUint8(offset, value);
    else if (width === 16) this.memory.setUint16(offset, value, true);
    else this.memory.setUint32(offset, value, true);
  }
}
