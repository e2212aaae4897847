import type { SffController } from './sff-controller.ts';
import type { TestBench } from './test-bench.ts';

/** What a host reaches of a controller. */
export type Bus = Pick<SffController, 'read' | 'write' | 'readFifo' | 'writeFifo' | 'violations'>;

/** A command as a host writes it into the registers. */
export interface HostCommand {
  readonly command: number;
  readonly lba?: number;
  readonly count?: number;
  readonly features?: number;
  readonly slave?: boolean;
  /** 48-bit: every register is written twice. */
  readonly wide?: boolean;
  readonly chs?: { readonly cylinder: number; readonly head: number; readonly sector: number };
}

/** Speaks to a controller through its registers only. The numbers are written down here anew. */
export class Host {
  readonly #bench: TestBench;
  readonly #controller: Bus;
  readonly #channel: 0 | 1;

  constructor(bench: TestBench, controller: Bus, channel: 0 | 1 = 0) {
    this.#bench = bench;
    this.#controller = controller;
    this.#channel = channel;
  }

  in8(offset: number): number {
    return this.#controller.read(`command${this.#channel}`, offset, 8);
  }

  out8(offset: number, value: number): void {
    this.#controller.write(`command${this.#channel}`, offset, 8, value);
  }

  get status(): number {
    return this.in8(7);
  }

  get alternateStatus(): number {
    return this.#controller.read(`control${this.#channel}`, 0, 8);
  }

  control(value: number): void {
    this.#controller.write(`control${this.#channel}`, 0, 8, value);
  }

  /** What the controller has to complain about. */
  get violations(): readonly string[] {
    return this.#controller.violations;
  }

  /** Interrupts so far on this channel. */
  get interrupts(): number {
    return this.#bench.pulses[this.#channel] ?? 0;
  }

  /** Writes the registers and the command. */
  issue({ command, lba = 0, count = 0, features = 0, slave = false, wide = false, chs }: HostCommand): void {
    const select = slave ? 0x10 : 0;
    const byte = (index: number) => Math.floor(lba / 0x100 ** index) & 0xff;
    if (chs !== undefined) {
      this.out8(6, 0xa0 | select | chs.head);
      this.#registers(features, count, chs.sector, chs.cylinder & 0xff, chs.cylinder >>> 8);
    } else if (wide) {
      this.out8(6, 0x40 | select);
      this.#registers(features >>> 8, count >>> 8, byte(3), byte(4), byte(5));
      this.#registers(features & 0xff, count & 0xff, byte(0), byte(1), byte(2));
    } else {
      this.out8(6, 0xe0 | select | (byte(3) & 0x0f));
      this.#registers(features, count & 0xff, byte(0), byte(1), byte(2));
    }
    this.out8(7, command);
  }

  /** Issues a command without data and waits; the status at its end. */
  async run(command: HostCommand): Promise<number> {
    this.issue(command);
    await this.#bench.settle();
    return this.status;
  }

  /** Issues a data-in command and reads all blocks; stops at an error. */
  async read(command: HostCommand, lengthBytes: number, blockBytes = 512): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    this.issue(command);
    await this.#bench.settle();
    for (let at = 0; at < lengthBytes; at += blockBytes) {
      const status = this.status;
      if ((status & 0x89) !== 0x08) throw new HostError('no data', status, this.error, at);
      this.readFifo(bytes.subarray(at, Math.min(at + blockBytes, lengthBytes)));
      await this.#bench.settle();
    }
    return bytes;
  }

  /** Issues a data-out command and writes all blocks; the status at its end. */
  async write(command: HostCommand, bytes: Uint8Array, blockBytes = 512): Promise<number> {
    this.issue(command);
    await this.#bench.settle();
    for (let at = 0; at < bytes.length; at += blockBytes) {
      const status = this.status;
      if ((status & 0x89) !== 0x08) throw new HostError('no request', status, this.error, at);
      this.writeFifo(bytes.subarray(at, at + blockBytes));
      await this.#bench.settle();
    }
    return this.status;
  }

  readFifo(into: Uint8Array): void {
    if (!this.#controller.readFifo(`command${this.#channel}`, 0, 16, into)) throw new Error('no whole FIFO');
  }

  writeFifo(from: Uint8Array): void {
    if (!this.#controller.writeFifo(`command${this.#channel}`, 0, 16, from)) throw new Error('no whole FIFO');
  }

  get error(): number {
    return this.in8(1);
  }

  /** The address in the registers, by the rules of 28 or of 48 bits. */
  address(wide: boolean): number {
    const low = this.in8(3) + this.in8(4) * 0x100 + this.in8(5) * 0x10000;
    if (!wide) return low + (this.in8(6) & 0x0f) * 0x100_0000;
    this.control(0x80);
    const high = this.in8(3) + this.in8(4) * 0x100 + this.in8(5) * 0x10000;
    this.control(0);
    return low + high * 0x100_0000;
  }

  #registers(features: number, count: number, low: number, mid: number, high: number): void {
    for (const [offset, value] of [features, count, low, mid, high].entries()) this.out8(offset + 1, value);
  }
}

/** The device did not answer as a data command expects. */
export class HostError extends Error {
  readonly status: number;
  readonly error: number;
  readonly atBytes: number;

  constructor(what: string, status: number, error: number, atBytes: number) {
    super(`${what} at byte ${atBytes}: status 0x${status.toString(16)}, error 0x${error.toString(16)}`);
    this.status = status;
    this.error = error;
    this.atBytes = atBytes;
  }
}

/** Sectors whose content tells where and when they were written. */
export function pattern(sectors: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  const words = new Uint32Array(bytes.buffer);
  for (let index = 0; index < words.length; index++)
    words[index] = Math.imul(index + 1, 0x9e3779b1) ^ (seed * 0x01000193);
  return bytes;
}
