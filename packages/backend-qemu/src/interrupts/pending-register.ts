import { readBus } from '../qtest/bus.ts';
import type { QtestConnection } from '../qtest/qtest-connection.ts';
import type { WireSource } from './interrupt-wire.ts';

/** After an access something may happen within this time: it is looked at in every turn of the event loop. */
const EAGER_MS = 2;
const SHORTEST_MS = 1;
const LONGEST_MS = 16;

/**
 * The register of a board's interrupt controller that shows which lines are asserted, for boards whose lines QEMU does not
 * tell. Looked at while somebody waits: often after an access to the machine, seldom when nothing happens.
 */
export class PendingRegister {
  readonly #qtest: QtestConnection;
  readonly #address: bigint;
  readonly #looks = new Map<number, () => void>();
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #pauseMs = SHORTEST_MS;
  #eagerUntilMs = 0;

  constructor(qtest: QtestConnection, address: bigint) {
    this.#qtest = qtest;
    this.#address = address;
    qtest.onAccess = () => this.#hurry();
  }

  /** How a wire looks at its bit. */
  sourceOf(input: number): WireSource {
    const bit = BigInt(input);
    return {
      isAsserted: () => {
        const value = this.#qtest.aside(() => readBus(this.#qtest, 'memory', 64, this.#address));
        return this.#qtest.alive && ((value >> bit) & 1n) === 1n;
      },
      poll: {
        schedule: (look) => {
          this.#looks.set(input, look);
          this.#plan();
        },
        cancel: () => void this.#looks.delete(input),
      },
    };
  }

  close(): void {
    this.#looks.clear();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  /** The driver has done something: its answer may come soon. */
  #hurry(): void {
    this.#pauseMs = SHORTEST_MS;
    this.#eagerUntilMs = performance.now() + EAGER_MS;
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#plan();
  }

  #plan(): void {
    if (this.#timer !== undefined || this.#immediate !== undefined || this.#looks.size === 0) return;
    if (performance.now() < this.#eagerUntilMs) {
      this.#immediate = setImmediate(() => this.#look());
      return;
    }
    this.#timer = setTimeout(() => this.#look(), this.#pauseMs).unref();
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_MS);
  }

  #look(): void {
    this.#timer = undefined;
    this.#immediate = undefined;
    const looks = [...this.#looks.values()];
    this.#looks.clear();
    for (const look of looks) look();
  }
}
