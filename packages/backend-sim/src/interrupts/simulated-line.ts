import type { InterruptLine, InterruptSink, Trigger, Verdict } from '@ring3/core';
import type { InterruptWire } from './interrupt-wire.ts';

/** What a line has seen since it was opened. */
export interface LineStatistics {
  /** Events given to the source. */
  readonly delivered: number;
  /** Edges that met one that was not delivered yet: they are one event. */
  readonly merged: number;
}

/** One device's end of an interrupt wire: core's InterruptLine for the driver. */
export class SimulatedLine implements InterruptLine {
  readonly trigger: Exclude<Trigger, 'polled'>;
  /** Whose line it is, for messages. */
  readonly holder: string;
  readonly #wire: InterruptWire;
  #sink: InterruptSink | undefined;
  #enabled = false;
  /** Delivered and not re-armed yet. */
  #inService = false;
  /** Edges and forced events: 0 or 1; messages: how many. */
  #latched = 0;
  #delivered = 0;
  #merged = 0;

  constructor(wire: InterruptWire, holder: string) {
    this.#wire = wire;
    this.holder = holder;
    this.trigger = wire.trigger;
  }

  get statistics(): LineStatistics {
    return { delivered: this.#delivered, merged: this.#merged };
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  listen(sink: InterruptSink): void {
    this.#sink = sink;
  }

  enable(): void {
    this.#setEnabled(true);
    this.#inService = false;
    this.#wire.settle();
  }

  disable(): void {
    this.#setEnabled(false);
    // A masked message vector remembers one, as the pending bit of MSI-X does (PCI Local Bus 3.0, 6.8.2.9).
    if (this.trigger === 'message') this.#latched = Math.min(this.#latched, 1);
  }

  rearm(): void {
    this.#inService = false;
    this.#wire.settle();
  }

  /** Whether there is an event that may be delivered now. */
  get ready(): boolean {
    if (!this.#enabled || this.#inService) return false;
    return this.#latched > 0 || this.#wire.asserted;
  }

  /** Remembers one event: an edge, a message, or an event that a fault makes up. */
  latch(): void {
    if (this.trigger === 'message' && this.#enabled) this.#latched++;
    else if (this.#latched > 0) this.#merged++;
    else this.#latched = 1;
  }

  /** Gives one event to the source. @returns what its owner said of it. */
  deliver(): Verdict {
    if (this.#latched > 0) this.#latched--;
    this.#inService = this.trigger !== 'message';
    this.#delivered++;
    return this.#sink?.event() ?? 'not-mine';
  }

  /** A neighbour handled the event that this line's owner did not want. */
  handledElsewhere(): void {
    this.#sink?.handledElsewhere();
  }

  /** Ends the line: its device is gone. */
  end(reason: string): void {
    this.#setEnabled(false);
    this.#latched = 0;
    this.#sink?.gone(reason);
    this.#sink = undefined;
  }

  #setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    this.#wire.listen(enabled ? 1 : -1);
  }
}
