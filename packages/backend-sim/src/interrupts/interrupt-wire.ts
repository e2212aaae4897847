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
  readonly #lines: SimulatedLine[] = [];
  readonly #asserting = new Set<object>();
  readonly #deliverLater = () => this.#deliver();
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
    const [other] = this.#lines;
    if (other !== undefined && trigger !== this.trigger) {
      throw new DeviceError(
        'busy',
        `${holder} cannot have ${this.name} as ${trigger}: ${other.holder} uses it as ${this.trigger}`,
      );
    }
    const line = new SimulatedLine(this, holder);
    this.#lines.push(line);
    return line;
  }

  disconnect(line: SimulatedLine): void {
    const index = this.#lines.indexOf(line);
    if (index >= 0) this.#lines.splice(index, 1);
  }

  get unused(): boolean {
    return this.#lines.length === 0;
  }

  /** `pin` asserts the level, or stops to. */
  drive(pin: object, level: boolean): void {
    if (level) this.#asserting.add(pin);
    else this.#asserting.delete(pin);
    if (level) this.settle();
  }

  /** One edge or one message; on a level wire an event that has no cause. */
  latch(): void {
    for (const line of this.#lines) line.latch();
    this.settle();
  }

  /** Schedules a delivery when a line is ready for one. */
  settle(): void {
    if (this.#deliveryPending || !this.#anyReady()) return;
    this.#deliveryPending = true;
    this.#clock.after(this.#latencyUs, this.#deliverLater);
  }

  /** Told by the lines when somebody begins or ceases to wait for events. */
  listen(change: 1 | -1): void {
    this.#clock.listen(change);
  }

  /** For the message of a simulation that is stuck. */
  toString(): string {
    const users = this.#lines.map((line) => `${line.holder} ${line.enabled ? 'enabled' : 'disabled'}`);
    return `${this.name}, ${this.trigger}, ${this.asserted ? 'asserted' : 'quiet'}: ${users.join(', ')}`;
  }

  #anyReady(): boolean {
    for (const line of this.#lines) if (line.ready) return true;
    return false;
  }

  #deliver(): void {
    const errors: unknown[] = [];
    const unwilling: SimulatedLine[] = [];
    let handled = false;
    for (const line of this.#lines.filter((candidate) => candidate.ready)) {
      try {
        if (line.deliver() === 'handled') handled = true;
        else unwilling.push(line);
      } catch (error) {
        errors.push(error); // The neighbours on the wire are asked all the same.
      }
    }
    if (handled) for (const line of unwilling) line.handledElsewhere();
    this.#deliveryPending = false;
    this.settle();
    if (errors.length > 1) throw new AggregateError(errors, `${this.name}: ${errors.length} handlers threw`);
    if (errors.length === 1) throw errors[0];
  }
}
