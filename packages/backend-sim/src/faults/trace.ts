/** One fault that was injected. */
export interface InjectedFault {
  readonly atUs: number;
  readonly what: string;
}

const KEPT = 64;

/** The last faults that were injected into one device, and how many there were. */
export class FaultTrace {
  readonly #device: string;
  readonly #nowUs: () => number;
  readonly #ring: InjectedFault[] = [];
  #count = 0;

  constructor(device: string, nowUs: () => number) {
    this.#device = device;
    this.#nowUs = nowUs;
  }

  /** How many faults were injected in all. */
  get count(): number {
    return this.#count;
  }

  /** The last ones, the oldest first. */
  get entries(): readonly InjectedFault[] {
    const start = this.#count % KEPT;
    return this.#count <= KEPT ? [...this.#ring] : [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
  }

  add(what: string): void {
    this.#ring[this.#count % KEPT] = { atUs: this.#nowUs(), what };
    this.#count++;
  }

  /** For messages: nothing when nothing was injected. */
  lines(): string[] {
    if (this.#count === 0) return [];
    const last = this.entries.slice(-8).map(({ atUs, what }) => `  ${atUs} us: ${what}`);
    return [`faults injected into ${this.#device}: ${this.#count}, the last ones:`, ...last];
  }

  toString(): string {
    return this.entries.map(({ atUs, what }) => `${atUs} us: ${what}`).join('\n');
  }
}
