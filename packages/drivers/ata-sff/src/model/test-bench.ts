import type { ModelPins } from '@ring3/backend-sim/model';
import { SILENT } from '@ring3/core';
import { createController } from './create-controller.ts';
import { type ControllerOptionsInput, optionsSchema } from './options.ts';
import type { SectorStore } from './sector-store.ts';
import { Host } from './test-host.ts';

interface Event {
  readonly atUs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Where the memory of the bench begins on the bus. */
export const RAM_BASE = 0x1000_0000;

/** Time, interrupt lines and a host for one controller under test: everything is driven by hand. */
export class TestBench implements ModelPins {
  readonly log = SILENT;
  /** Level of the lines, and the number of edges or messages. */
  readonly levels: boolean[] = [];
  readonly pulses: number[] = [];
  #nowUs = 0;
  #order = 0;
  #events: Event[] = [];
  #held: Promise<unknown>[] = [];

  interrupt(index: number) {
    return {
      raise: () => {
        if (this.levels[index] !== true) this.pulses[index] = (this.pulses[index] ?? 0) + 1;
        this.levels[index] = true;
      },
      lower: () => {
        this.levels[index] = false;
      },
      pulse: () => {
        this.pulses[index] = (this.pulses[index] ?? 0) + 1;
      },
    };
  }

  /** Memory from {@link RAM_BASE} on; nothing else answers. */
  readonly ram = new Uint8Array(4 * 2 ** 20);
  /** Transfers of the bus master so far. */
  transfers = 0;
  readonly memory = {
    read: (busAddress: bigint, into: Uint8Array) => {
      const found = this.#memoryAt(busAddress, into.length);
      if (found === undefined) into.fill(0xff);
      else into.set(found);
      return found !== undefined;
    },
    write: (busAddress: bigint, from: Uint8Array) => {
      const found = this.#memoryAt(busAddress, from.length);
      found?.set(from);
      return found !== undefined;
    },
  };

  nowUs(): number {
    return this.#nowUs;
  }

  after(delayUs: number, callback: () => void) {
    const event = { atUs: this.#nowUs + delayUs, order: this.#order++, callback };
    this.#events.push(event);
    this.#events.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
    return { cancel: () => this.#remove(event) };
  }

  hold(_what: string, work: Promise<unknown>): void {
    this.#held.push(work);
  }

  resolvePath(path: string): string {
    return path;
  }

  /** Lets that much time pass. */
  advance(us: number): void {
    const endUs = this.#nowUs + us;
    for (let next = this.#events[0]; next !== undefined && next.atUs <= endUs; next = this.#events[0]) this.#fire(next);
    this.#nowUs = endUs;
  }

  /** Lets everything happen that is due, work of the real world included. */
  async settle(): Promise<void> {
    while (this.#events.length > 0 || this.#held.length > 0) {
      const next = this.#events[0];
      if (this.#held.length > 0) await Promise.all(this.#held.splice(0));
      else if (next !== undefined) this.#fire(next);
    }
  }

  /** Whether anything will still happen by itself. */
  get idle(): boolean {
    return this.#events.length === 0 && this.#held.length === 0;
  }

  #memoryAt(busAddress: bigint, lengthBytes: number): Uint8Array | undefined {
    this.transfers++;
    const at = Number(busAddress) - RAM_BASE;
    return at < 0 || at + lengthBytes > this.ram.length ? undefined : this.ram.subarray(at, at + lengthBytes);
  }

  #fire(event: Event): void {
    this.#remove(event);
    this.#nowUs = event.atUs;
    event.callback();
  }

  #remove(event: Event): void {
    this.#events = this.#events.filter((other) => other !== event);
  }
}

/** A controller on a bench, past its power-on reset. */
export async function createBench(options: ControllerOptionsInput = {}, stores: readonly SectorStore[] = []) {
  const bench = new TestBench();
  const controller = await createController(bench, optionsSchema.parse(options), stores);
  await bench.settle();
  return { bench, controller, host: new Host(bench, controller) };
}
