import type { DeviceModel, InterruptPin, ModelPins } from '@ring3/backend-sim/model';
import type { Width } from '@ring3/core';
import type { EduOptions } from './options.ts';

/** What every register that is not there, and every one that is only written, reads as. */
const NOTHING = 0xffff_ffff;

/**
 * The device as QEMU has it (docs/specs/edu.rst; what that leaves open, as hw/misc/edu.c does it). The DMA registers keep
 * what is written and a transfer never ends: the simulator has no memory to move data from.
 */
export class EduDevice implements DeviceModel {
  readonly #pins: ModelPins;
  readonly #pin: InterruptPin;
  readonly #computeUs: number;
  readonly #dma = new Map([0x80, 0x88, 0x90, 0x98].map((offset) => [offset, 0]));
  #inverted = 0;
  #factorial = 0;
  #computing = false;
  #interruptWhenDone = false;
  #causes = 0;

  constructor(pins: ModelPins, { computeUs }: Pick<EduOptions, 'computeUs'>) {
    this.#pins = pins;
    this.#pin = pins.interrupt(0);
    this.#computeUs = computeUs;
  }

  read(_space: string, offset: number, _width: Width): number {
    switch (offset) {
      case 0x00:
        return 0x0100_00ed;
      case 0x04:
        return this.#inverted;
      case 0x08:
        return this.#factorial;
      case 0x20:
        return (this.#computing ? 0x01 : 0) | (this.#interruptWhenDone ? 0x80 : 0);
      case 0x24:
        return this.#causes;
      default:
        return this.#dma.get(offset) ?? NOTHING;
    }
  }

  write(_space: string, offset: number, _width: Width, value: number): void {
    switch (offset) {
      case 0x04:
        this.#inverted = ~value >>> 0;
        break;
      case 0x08:
        this.#compute(value);
        break;
      case 0x20:
        this.#interruptWhenDone = (value & 0x80) !== 0;
        break;
      case 0x60:
        this.#setCauses(this.#causes | value);
        break;
      case 0x64:
        this.#setCauses(this.#causes & ~value);
        break;
      default:
        this.#writeDma(offset, value);
    }
  }

  /** A second argument that comes too early is lost. */
  #compute(n: number): void {
    if (this.#computing) return;
    this.#factorial = n;
    this.#computing = true;
    this.#pins.after(this.#computeUs, () => {
      this.#factorial = factorialModulo32(n);
      this.#computing = false;
      if (this.#interruptWhenDone) this.#setCauses(this.#causes | 0x1);
    });
  }

  #setCauses(causes: number): void {
    this.#causes = causes >>> 0;
    if (this.#causes === 0) this.#pin.lower();
    else this.#pin.raise();
  }

  #writeDma(offset: number, value: number): void {
    const running = ((this.#dma.get(0x98) ?? 0) & 1) !== 0;
    if (!this.#dma.has(offset) || running || (offset === 0x98 && (value & 1) === 0)) return;
    this.#dma.set(offset, value);
    if (offset === 0x98) this.#pins.log.warn('edu: a DMA transfer was started that the simulator cannot do');
  }
}

/** From 34! on all factors of two have filled the 32 bits. */
function factorialModulo32(n: number): number {
  if (n >= 34) return 0;
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product = Math.imul(product, factor);
  return product >>> 0;
}
