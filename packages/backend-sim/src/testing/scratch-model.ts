import type { SchemaIssue, Timer, Width } from '@ring3/core';
import { type DeviceModel, defineModel, type InterruptPin, type ModelPins } from '../model/device-model.ts';

/** Registers of the scratch device, the same in its memory and in its ports. */
const REGISTER = {
  /** Reads 0x53435254. */
  id: 0x00,
  /** Remembers what is written, in every width. */
  scratch: 0x04,
  /** Bit 0 timer, bit 1 trigger; a 1 clears the bit. The level interrupt follows it. */
  cause: 0x08,
  /** Starts the timer with this many microseconds; 0 stops it. */
  timerUs: 0x0c,
  /** Bit 0 sets cause bit 1, bit 1 pulses the edge interrupt, bit 2 sends the message. */
  trigger: 0x10,
  /** Counts the accesses that the device has seen since it was read last. */
  accesses: 0x14,
  /** How many bytes the FIFO holds. */
  fifoLevel: 0x18,
  /** Takes bytes on writes, gives them back on reads; empty: zeros. */
  fifo: 0x1c,
  /** From here on memory: remembers what is written, in every width. */
  memory: 0x20,
} as const;
const SIZE_BYTES = 0x40;
const FIFO_BYTES = 4096;
const CAUSE_TIMER = 1;
const CAUSE_TRIGGER = 2;

/** Where a scratch device sits. */
export interface ScratchOptions {
  /** Address of the memory space. Default 0xfeb00000. */
  readonly memoryStart?: bigint;
  /** Address of the port space. Default 0xc000. */
  readonly portStart?: bigint;
  /** Names of the level, edge and message lines. Default IRQ 10, IRQ 5, MSI 0. */
  readonly lines?: readonly [level: string, edge: string, message: string];
}

class ScratchDevice implements DeviceModel {
  readonly #pins: ModelPins;
  readonly #level: InterruptPin;
  readonly #edge: InterruptPin;
  readonly #message: InterruptPin;
  readonly #bytes = new DataView(new ArrayBuffer(SIZE_BYTES));
  readonly #fifo = new Uint8Array(FIFO_BYTES);
  #fifoFrom = 0;
  #fifoLevel = 0;
  #cause = 0;
  #accesses = 0;
  #timer: Timer | undefined;

  constructor(pins: ModelPins) {
    this.#pins = pins;
    this.#level = pins.interrupt(0);
    this.#edge = pins.interrupt(1);
    this.#message = pins.interrupt(2);
  }

  read(_space: string, offset: number, width: Width): number {
    const register = offset & ~3;
    if (register === REGISTER.fifo) return this.#popWord(width);
    if (register === REGISTER.accesses) {
      const seen = this.#accesses;
      this.#accesses = 0;
      return seen;
    }
    this.#accesses++;
    const value = this.#value(register) >>> (8 * (offset & 3));
    return width === 32 ? value >>> 0 : value & (2 ** width - 1);
  }

  write(_space: string, offset: number, width: Width, value: number): void {
    const register = offset & ~3;
    this.#accesses++;
    if (isMemory(register)) this.#store(offset, width, value);
    else if (register === REGISTER.cause) this.#setCause(this.#cause & ~value);
    else if (register === REGISTER.timerUs) this.#startTimer(value);
    else if (register === REGISTER.trigger) this.#fire(value);
    else if (register === REGISTER.fifo) {
      for (let byte = 0; byte < width / 8; byte++) this.#push((value >>> (8 * byte)) & 0xff);
    }
  }

  readFifo(_space: string, offset: number, width: Width, into: Uint8Array): boolean {
    if (offset !== REGISTER.fifo || into.length > this.#fifoLevel) return false;
    this.#accesses += into.length / (width / 8);
    for (let at = 0; at < into.length; at++) into[at] = this.#pop();
    return true;
  }

  writeFifo(_space: string, offset: number, width: Width, from: Uint8Array): boolean {
    if (offset !== REGISTER.fifo || from.length > FIFO_BYTES - this.#fifoLevel) return false;
    this.#accesses += from.length / (width / 8);
    for (const byte of from) this.#push(byte);
    return true;
  }

  cutPower(): void {
    this.#fifoLevel = 0;
    for (let offset = 0; offset < SIZE_BYTES; offset += 4) this.#bytes.setUint32(offset, 0);
  }

  #value(register: number): number {
    if (register === REGISTER.id) return 0x5343_5254;
    if (register === REGISTER.cause) return this.#cause;
    if (register === REGISTER.fifoLevel) return this.#fifoLevel;
    return isMemory(register) ? this.#bytes.getUint32(register, true) : 0;
  }

  #store(offset: number, width: Width, value: number): void {
    if (width === 8) this.#bytes.setUint8(offset, value);
    else if (width === 16) this.#bytes.setUint16(offset, value, true);
    else this.#bytes.setUint32(offset, value, true);
  }

  #setCause(cause: number): void {
    this.#cause = cause;
    if (cause === 0) this.#level.lower();
    else this.#level.raise();
  }

  #startTimer(us: number): void {
    this.#timer?.cancel();
    this.#timer = us === 0 ? undefined : this.#pins.after(us, () => this.#setCause(this.#cause | CAUSE_TIMER));
  }

  #fire(value: number): void {
    if ((value & 1) !== 0) this.#setCause(this.#cause | CAUSE_TRIGGER);
    if ((value & 2) !== 0) this.#edge.pulse();
    if ((value & 4) !== 0) this.#message.pulse();
  }

  #push(byte: number): void {
    if (this.#fifoLevel === FIFO_BYTES) return;
    this.#fifo[(this.#fifoFrom + this.#fifoLevel++) % FIFO_BYTES] = byte;
  }

  #pop(): number {
    if (this.#fifoLevel === 0) return 0;
    const byte = this.#fifo[this.#fifoFrom] ?? 0;
    this.#fifoFrom = (this.#fifoFrom + 1) % FIFO_BYTES;
    this.#fifoLevel--;
    return byte;
  }

  #popWord(width: Width): number {
    this.#accesses++;
    let word = 0;
    for (let byte = 0; byte < width / 8; byte++) word |= this.#pop() << (8 * byte);
    return word >>> 0;
  }
}

/**
 * A device that does nothing useful and everything that a backend must get right: registers in memory and in ports,
 * a FIFO with shortcuts, a timer, and one interrupt of each kind.
 */
export const scratchModel = defineModel<ScratchOptions>({
  name: 'scratch',
  options: { '~standard': { version: 1, vendor: 'ring3', validate: validateOptions } },
  describe: ({ memoryStart = 0xfeb0_0000n, portStart = 0xc000n, lines = ['IRQ 10', 'IRQ 5', 'MSI 0'] }) => ({
    identity: {
      name: 'scratch',
      pci: {
        vendorId: 0x1234,
        deviceId: 0x5c7a,
        classCode: 0xff0000,
        revision: 1,
        subsystemVendorId: 0x1af4,
        subsystemId: 0x1100,
      },
    },
    spaces: [
      { kind: 'memory', bar: 0, name: 'registers', start: memoryStart, sizeBytes: SIZE_BYTES },
      { kind: 'port', bar: 1, name: 'ports', start: portStart, sizeBytes: SIZE_BYTES },
    ],
    interrupts: [
      { index: 0, name: 'level', trigger: 'level', line: lines[0] },
      { index: 1, name: 'edge', trigger: 'edge', line: lines[1] },
      { index: 2, name: 'message', trigger: 'message', line: lines[2] },
    ],
  }),
  create: (pins) => new ScratchDevice(pins),
});

function isMemory(register: number): boolean {
  return register === REGISTER.scratch || register >= REGISTER.memory;
}

function validateOptions(
  value: unknown,
): { readonly value: ScratchOptions } | { readonly issues: readonly SchemaIssue[] } {
  const isObject = typeof value === 'object' && value !== null;
  return isObject ? { value } : { issues: [{ message: 'expected an object' }] };
}
