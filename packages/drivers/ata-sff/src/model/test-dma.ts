import type { SffController } from './sff-controller.ts';
import { RAM_BASE, type TestBench } from './test-bench.ts';
import type { Host, HostCommand } from './test-host.ts';

/** One region: where, and how long. */
export interface Region {
  readonly at: number;
  readonly lengthBytes: number;
}

/** Where the table of regions lies, counted from the start of the memory. */
const TABLE = 0x1_0000;

/** Drives the bus master of one channel through its registers; addresses count from the start of the bench's memory. */
export class DmaHost {
  readonly #bench: TestBench;
  readonly #controller: SffController;
  readonly #host: Host;
  readonly #base: number;

  constructor(bench: TestBench, controller: SffController, host: Host, channel: 0 | 1 = 0) {
    this.#bench = bench;
    this.#controller = controller;
    this.#host = host;
    this.#base = 8 * channel;
  }

  get status(): number {
    return this.#controller.read('busMaster', this.#base + 2, 8);
  }

  set status(value: number) {
    this.#controller.write('busMaster', this.#base + 2, 8, value);
  }

  get command(): number {
    return this.#controller.read('busMaster', this.#base, 8);
  }

  set command(value: number) {
    this.#controller.write('busMaster', this.#base, 8, value);
  }

  set table(busAddress: number) {
    this.#controller.write('busMaster', this.#base + 4, 32, busAddress);
  }

  /** Writes the table, and where it is; the last entry has the end mark. */
  regions(regions: readonly Region[], tableAt = TABLE): void {
    const view = new DataView(this.#bench.ram.buffer);
    for (const [index, { at, lengthBytes }] of regions.entries()) {
      view.setUint32(tableAt + index * 8, RAM_BASE + at, true);
      const end = index === regions.length - 1 ? 0x8000_0000 : 0;
      view.setUint32(tableAt + index * 8 + 4, (end | (lengthBytes & 0xffff)) >>> 0, true);
    }
    this.table = RAM_BASE + tableAt;
  }

  /** Command, then start: the order of SFF-8038i section 3.1. */
  start(command: HostCommand, direction: 'in' | 'out'): void {
    this.status = (this.status & 0x60) | 0x06;
    this.command = direction === 'in' ? 0x08 : 0x00;
    this.#host.issue(command);
    this.command = direction === 'in' ? 0x09 : 0x01;
  }

  /** The same, to its end. @returns both status registers, the one of the bus master read first. */
  async run(command: HostCommand, direction: 'in' | 'out'): Promise<{ busMaster: number; disk: number }> {
    this.start(command, direction);
    await this.#bench.settle();
    this.command = direction === 'in' ? 0x08 : 0x00;
    const busMaster = this.status;
    return { busMaster, disk: this.#host.status };
  }
}
