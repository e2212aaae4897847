import type { Inputs, Outputs } from './line.ts';
import { MCR, MSR } from './uart-registers.ts';

const LINES = ['cts', 'dsr', 'ri', 'dcd'] as const;

/** The modem lines and their registers. Sections 8.8, 8.9. */
export class Modem {
  #control = 0;
  #outside: Inputs = { cts: false, dsr: false, ri: false, dcd: false };
  #deltas = 0;

  get control(): number {
    return this.#control;
  }

  set control(value: number) {
    const before = this.#inputs;
    this.#control = value & 0x1f;
    this.#noteChanges(before);
  }

  get loop(): boolean {
    return (this.#control & MCR.loop) !== 0;
  }

  /** Whether the OUT2 pin is active; in loopback all output pins are inactive. */
  get out2(): boolean {
    return !this.loop && (this.#control & MCR.out2) !== 0;
  }

  get outputs(): Outputs {
    const bit = (mask: number) => !this.loop && (this.#control & mask) !== 0;
    return { dtr: bit(MCR.dtr), rts: bit(MCR.rts) };
  }

  get changed(): boolean {
    return this.#deltas !== 0;
  }

  setInputs(inputs: Partial<Inputs>): void {
    const before = this.#inputs;
    this.#outside = { ...this.#outside, ...inputs };
    this.#noteChanges(before);
  }

  /** The read of MSR, which clears the deltas. */
  readStatus(): number {
    const inputs = this.#inputs;
    const lines = LINES.reduce((bits, name) => bits | (inputs[name] ? MSR[name] : 0), 0);
    const value = lines | this.#deltas;
    this.#deltas = 0;
    return value;
  }

  /** In loopback the outputs are the inputs. Section 8.8, bit 4. */
  get #inputs(): Inputs {
    if (!this.loop) return this.#outside;
    const bit = (mask: number) => (this.#control & mask) !== 0;
    return { dsr: bit(MCR.dtr), cts: bit(MCR.rts), ri: bit(MCR.out1), dcd: bit(MCR.out2) };
  }

  /** RI counts when it goes away only. */
  #noteChanges(before: Inputs): void {
    const now = this.#inputs;
    for (const name of LINES) {
      const counts = name === 'ri' ? before.ri && !now.ri : before[name] !== now[name];
      if (counts) this.#deltas |= MSR[name] >>> 4;
    }
  }
}
