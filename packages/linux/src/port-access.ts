import type { RegisterAccess, RegisterOp, Width } from '@ring3/core';

/** Port instructions of the processor. Ports are numbers of the machine, sizes are 1, 2 or 4 bytes. */
export interface PortInstructions {
  /** Does accesses in order: 8 bytes each, see encodeOp; a read finds its value there. */
  run(ops: Uint8Array, count: number): void;
  /** Reads one port `count` times into memory. */
  readRepeated(port: number, sizeBytes: number, into: Uint8Array, count: number): void;
  /** Writes one port `count` times from memory. */
  writeRepeated(port: number, sizeBytes: number, from: Uint8Array, count: number): void;
}

const OP_BYTES = 8;
/** Where in an operation its value is. */
const VALUE = 4;

/** `struct op` of native/ports.c: port (16 bits), size in bytes (8), 1 for a write (8), value (32). */
function encodeOp(into: DataView, at: number, start: number, op: RegisterOp): void {
  into.setUint16(at, start + op.offset, true);
  into.setUint8(at + 2, op.width / 8);
  into.setUint8(at + 3, op.kind === 'write' ? 1 : 0);
  into.setUint32(at + VALUE, op.kind === 'write' ? op.value : 0, true);
}

/** A range of x86 ports; one native call does one access, a whole sequence or a whole FIFO transfer. */
export class PortAccess implements RegisterAccess {
  readonly #instructions: PortInstructions;
  readonly #start: number;
  readonly #single = new Uint8Array(OP_BYTES);
  readonly #singleView = new DataView(this.#single.buffer);

  constructor(instructions: PortInstructions, start: number) {
    this.#instructions = instructions;
    this.#start = start;
  }

  read(offset: number, width: Width): number {
    encodeOp(this.#singleView, 0, this.#start, { kind: 'read', width, offset });
    this.#instructions.run(this.#single, 1);
    return this.#singleView.getUint32(VALUE, true);
  }

  write(offset: number, width: Width, value: number): void {
    encodeOp(this.#singleView, 0, this.#start, { kind: 'write', width, offset, value });
    this.#instructions.run(this.#single, 1);
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    const size = width / 8;
    if (into.length > 0) this.#instructions.readRepeated(this.#start + offset, size, into, into.length / size);
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    const size = width / 8;
    if (from.length > 0) this.#instructions.writeRepeated(this.#start + offset, size, from, from.length / size);
  }

  sequence(ops: readonly RegisterOp[], results: number[]): void {
    if (ops.length === 0) return;
    const encoded = new Uint8Array(ops.length * OP_BYTES);
    const view = new DataView(encoded.buffer);
    for (const [index, op] of ops.entries()) encodeOp(view, index * OP_BYTES, this.#start, op);
    this.#instructions.run(encoded, ops.length);
    for (const [index, { kind }] of ops.entries()) {
      if (kind === 'read') results.push(view.getUint32(index * OP_BYTES + VALUE, true));
    }
  }
}
