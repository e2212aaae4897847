import {
  type BoundRegisters,
  bindRegisters,
  type Clock,
  DeviceError,
  hex,
  type InterruptSource,
  interruptAfter,
  type MemoryRegion,
  pollUntil,
  type Verdict,
} from '@ring3/core';
import { DEVICE_EDU, EDU_REGISTERS } from './registers.ts';
import type { FactorialUnit } from './service.ts';

const { status: STATUS, identification: IDENTIFICATION } = EDU_REGISTERS;
/** 13! does not fit 32 bits. */
const LARGEST = 12;
/** A computation takes microseconds; a virtual machine without a processor to spare, much longer. */
const TIMEOUT_US = 5_000_000;
/** Every cause of an interrupt. */
const ALL = 0xffff_ffff;

/** The handles that the device is driven with. */
export interface EduHandles {
  readonly registers: MemoryRegion;
  /** Without it the status is polled. */
  readonly irq: InterruptSource | undefined;
  readonly clock: Clock;
}

/** One edu device that answered. */
export class Edu implements FactorialUnit {
  readonly version: string;
  readonly byInterrupt: boolean;
  readonly #registers: BoundRegisters<typeof EDU_REGISTERS>;
  readonly #irq: InterruptSource | undefined;
  readonly #clock: Clock;
  /** What the last interrupt was raised for. */
  #causes = 0;
  /** One command at a time: the next begins when this settles. */
  #last: Promise<unknown> = Promise.resolve();

  /** @throws DeviceError `not-found` where something else answers, `fault` where the device does not live. */
  constructor({ registers, irq, clock }: EduHandles) {
    this.#registers = bindRegisters(registers, EDU_REGISTERS);
    this.#irq = irq;
    this.#clock = clock;
    this.byInterrupt = irq !== undefined;
    this.version = this.#identify();
    this.#checkLiveness();
  }

  /** Lets the device interrupt. @returns what ends that. */
  listen(irq: InterruptSource): () => void {
    const { status, interruptAcknowledge } = this.#registers;
    const detach = irq.attach(() => this.#handle());
    interruptAcknowledge.write(ALL); // What was raised before nobody waits for any more.
    status.write(STATUS.mask.IRQFACT);
    irq.enable();
    return detach;
  }

  async factorial(n: number): Promise<number> {
    if (!Number.isInteger(n) || n < 0 || n > LARGEST) {
      throw new RangeError(`the factorial of ${n}: give an integer from 0 to ${LARGEST}, more does not fit 32 bits`);
    }
    return this.#inTurn(async () => {
      const { factorial } = this.#registers;
      await this.#idle();
      if (this.#irq === undefined) factorial.write(n);
      else await this.#interruptAfter(this.#irq, () => factorial.write(n));
      await this.#idle();
      return factorial.read();
    });
  }

  async raise(causes: number): Promise<number> {
    const irq = this.#irq;
    if (irq === undefined) throw new DeviceError('unsupported', 'edu: this backend has no interrupt of the device');
    return this.#inTurn(async () => {
      await this.#interruptAfter(irq, () => this.#registers.interruptRaise.write(causes));
      return this.#causes;
    });
  }

  /** Resolves when no command runs. */
  async stop(): Promise<void> {
    await this.#last;
  }

  #identify(): string {
    const id = this.#registers.identification.read();
    const { mask, fields } = IDENTIFICATION;
    if ((id & mask.DEVICE) !== DEVICE_EDU) {
      throw new DeviceError('not-found', `no edu device: its identification reads ${hex(id, 32)}`);
    }
    return `${(id & mask.MAJOR) >>> fields.MAJOR.shift}.${(id & mask.MINOR) >>> fields.MINOR.shift}`;
  }

  #checkLiveness(): void {
    const { liveness } = this.#registers;
    for (const pattern of [0x5555_5555, 0xaaaa_aaaa]) {
      liveness.write(pattern);
      const answer = liveness.read();
      if (answer === ~pattern >>> 0) continue;
      throw new DeviceError('fault', `edu: the complement of ${hex(pattern, 32)} reads ${hex(answer, 32)}`);
    }
  }

  #handle(): Verdict {
    const { interruptStatus, interruptAcknowledge } = this.#registers;
    const causes = interruptStatus.read();
    if (causes === 0) return 'not-mine';
    interruptAcknowledge.write(causes);
    interruptStatus.read(); // The write has arrived when this is answered: the line is low before it is re-armed.
    this.#causes = causes;
    return 'handled';
  }

  /** What an interrupt that got lost has left behind is cleared: the next one can come. */
  async #interruptAfter(irq: InterruptSource, trigger: () => void): Promise<void> {
    try {
      await interruptAfter(irq, this.#clock, TIMEOUT_US, trigger);
    } catch (error) {
      this.#registers.interruptAcknowledge.write(ALL);
      throw error;
    }
  }

  async #idle(): Promise<void> {
    await pollUntil(this.#clock, {
      what: 'edu: COMPUTING clear',
      read: () => this.#registers.status.read(),
      until: (status) => (status & STATUS.mask.COMPUTING) === 0,
      timeoutUs: TIMEOUT_US,
    });
  }

  #inTurn<T>(command: () => Promise<T>): Promise<T> {
    const result = this.#last.then(command);
    this.#last = result.catch(() => {});
    return result;
  }
}
