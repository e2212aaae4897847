import type { Simulation } from '@ring3/backend-sim';
import type { SffController } from './model/index.ts';

/** One access as the controller saw it; a FIFO transfer is one entry with its length as value. */
export interface SeenAccess {
  readonly what: 'read' | 'write' | 'read-fifo' | 'write-fifo';
  readonly space: string;
  readonly offset: number;
  readonly width: number;
  readonly value: number;
  readonly atUs: number;
}

/** Writes down every access that arrives at the controller, from now on. */
export class Witness {
  readonly seen: SeenAccess[] = [];
  readonly #clock: Simulation['clock'];

  constructor(sim: Simulation, hardware: SffController) {
    this.#clock = sim.clock;
    const { read, write, readFifo, writeFifo } = hardware;
    hardware.read = (space, offset, width) => {
      const value = read.call(hardware, space, offset, width);
      this.#note('read', space, offset, width, value);
      return value;
    };
    hardware.write = (space, offset, width, value) => {
      this.#note('write', space, offset, width, value);
      write.call(hardware, space, offset, width, value);
    };
    hardware.readFifo = (space, offset, width, into) => {
      this.#note('read-fifo', space, offset, width, into.length);
      return readFifo.call(hardware, space, offset, width, into);
    };
    hardware.writeFifo = (space, offset, width, from) => {
      this.#note('write-fifo', space, offset, width, from.length);
      return writeFifo.call(hardware, space, offset, width, from);
    };
  }

  /** Command codes, in the order in which they were written. */
  get commands(): number[] {
    return this.of('write', 'command0', 7).map(({ value }) => value);
  }

  of(what: SeenAccess['what'], space: string, offset: number): SeenAccess[] {
    return this.seen.filter((access) => access.what === what && access.space === space && access.offset === offset);
  }

  forget(): void {
    this.seen.length = 0;
  }

  #note(what: SeenAccess['what'], space: string, offset: number, width: number, value: number): void {
    this.seen.push({ what, space, offset, width, value, atUs: this.#clock.nowUs() });
  }
}
