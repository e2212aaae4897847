import type { InterruptPin } from '../model/device-model.ts';
import type { InterruptWire } from './interrupt-wire.ts';

/** A device's interrupt output, soldered to a wire. */
export class DevicePin implements InterruptPin {
  readonly #wire: InterruptWire;
  readonly #mayDrive: () => boolean;
  #level = false;

  /** @param mayDrive is asked before a level reaches the wire: the "interrupt disable" bit of PCI. */
  constructor(wire: InterruptWire, mayDrive: () => boolean) {
    this.#wire = wire;
    this.#mayDrive = mayDrive;
  }

  get trigger(): InterruptWire['trigger'] {
    return this.#wire.trigger;
  }

  /** What the device says, whether or not it reaches the wire. */
  get level(): boolean {
    return this.#level;
  }

  raise(): void {
    if (this.#level) return;
    this.#level = true;
    if (this.#wire.trigger === 'level') this.refresh();
    else if (this.#mayDrive()) this.#wire.latch();
  }

  lower(): void {
    if (!this.#level) return;
    this.#level = false;
    if (this.#wire.trigger === 'level') this.refresh();
  }

  pulse(): void {
    this.lower();
    this.raise();
    this.lower();
  }

  /** Makes up an event that the device did not cause. */
  glitch(): void {
    this.#wire.latch();
  }

  /** Brings the wire in line with the level and with what may drive it. */
  refresh(): void {
    if (this.#wire.trigger === 'level') this.#wire.drive(this, this.#level && this.#mayDrive());
  }
}
