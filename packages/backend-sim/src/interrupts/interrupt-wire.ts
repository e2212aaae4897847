import { DeviceError, type Trigger } from '@ring3/core';
import type { SimClock } from '../clock/sim-clock.ts';
import { SimulatedLine } from './simulated-line.ts';

/**
 * One interrupt input of the simulated machine, which devices may share. A level is the OR of everyone who asserts
 * it; every enabled line on the wire is asked. Deliveries are events of the clock, never part of an access.
 */
export class InterruptWire {
  readonly name: string;
  readonly trigger: Exclude<Trigger, 'polled'>;
  readonly #clock: SimClock;
  readonly #latencyUs: number;
  readonly #lines = new Map<SimulatedLine, string>();
  readonly #asserting = new Set<object>();
  #deliveryPending = false;

  constructor(name: string, trigger: Exclude<Trigger, 'polled'>, clock: SimClock, latencyUs: number) {
    this.name = name;
    this.trigger = trigger;
    this.#clock = clock;
    this.#latencyUs = latencyUs;
  }

  /** Whether a level is there now. */
  get asserted(): boolean {
    return this.#asserting.size > 0;
  }

  /**
   * Adds the end of one more device.
   * @throws DeviceError `busy` when the wire is used with another trigger; names who uses it.
   */
  connect(holder: string, trigger: Exclude<Trigger, 'polled'>): SimulatedLine {
    if (trigger !== this.trigger && this.#lines.size > 0) {
      const [other] = this.#lines.values();
      throw new DeviceError(
        'busy',
        `${holder} cannot have ${this.name} as ${trigger}: ${other} uses it as ${this.trigger}`,
      );
    }
    const line = new SimulatedLine(this);
    this.#lines.set(line, holder);
    return line;
  }

  disconnect(line: SimulatedLine): void {
    this.#lines.delete(line);
  }

  get unused(): boolean {
    return this.#lines.size === 0;
  }

  /** `pin` asserts the level, or stops to. */
  drive(pin: object, level: boolean): void {
    if (level) this.#asserting.add(pin);
    else this.#asserting.delete(pin);
    if (level) this.settle();
  }

  /** One edge or one message; on a level wire an event that has no cause. */
  latch(): void {
    for (const line of this.#lines.keys()) line.latch();
    this.settle();
  }

  /** Schedules a delivery when a line is ready for one. */
  settle(): void {
    if (this.#deliveryPending || !this.#anyReady()) return;
    this.#deliveryPending = true;
    this.#clock.after(this.#latencyUs, () => this.#deliver());
  }

  /** Told by the lines when somebody begins or ceases to wait for events. */
  listen(change: 1 | -1): void {
    this.#clock.listen(change);
  }

  /** For the message of a simulation that is stuck. */
  toString(): string {
    const users = [...this.#lines].map(([line, holder]) => `${holder} ${line.enabled ? 'enabled' : 'disabled'}`);
    return `${this.name}, ${this.trigger}, ${this.asserted ? 'asserted' : 'quiet'}: ${users.join(', ')}`;
  }

  #anyReady(): boolean {
    for (const line of this.#lines.keys()) if (line.ready) return true;
    return false;
  }

  #deliver(): void {
    this.#deliveryPending = false;
    const errors: unknown[] = [];
    for (const line of [...this.#lines.keys()].filter((candidate) => candidate.ready)) {
      try {
        line.deliver();
      } catch (error) {
        errors.push(error); // The neighbours on the wire are asked all the same.
      }
    }
    this.settle();
    if (errors.length > 1) throw new AggregateError(errors, `${this.name}: ${errors.length} handlers threw`);
    if (errors.length === 1) throw errors[0];
  }
}
