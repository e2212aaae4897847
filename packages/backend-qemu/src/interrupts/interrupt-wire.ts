import type { InterruptLine, InterruptSink, Trigger, Verdict } from '@ring3/core';

/** What a wire needs to know where QEMU does not tell it. */
export interface WireSource {
  /** Whether the device of a line asserts it now: asked where no change was told since the connection. */
  isAsserted(line: WireLine): boolean;
  /** How to look again; missing where changes are told. */
  readonly poll?: { schedule(look: () => void): void; cancel(): void };
}

/**
 * One input of the board's interrupt controller with everybody on it. Deliveries are turns of the event loop of their
 * own, never part of an access.
 */
export class InterruptWire {
  readonly name: string;
  readonly #source: WireSource;
  readonly #lines: WireLine[] = [];
  /** `undefined` until QEMU tells a change: after a connection it tells changes only. */
  #level: boolean | undefined;
  #pending = false;

  constructor(name: string, source: WireSource) {
    this.name = name;
    this.#source = source;
  }

  /** Adds the end of one more device. @param mask holds its pin back, or lets it go, where the device has a switch for that. */
  connect(holder: string, trigger: 'level' | 'edge', mask?: (masked: boolean) => void): WireLine {
    const line = new WireLine(this, holder, trigger, mask);
    this.#lines.push(line);
    return line;
  }

  disconnect(line: WireLine): void {
    const index = this.#lines.indexOf(line);
    if (index >= 0) this.#lines.splice(index, 1);
    if (!this.#lines.some(({ enabled }) => enabled)) this.#source.poll?.cancel();
  }

  /** QEMU tells a change. */
  change(level: boolean): void {
    this.#level = level;
    if (!level) return;
    for (const line of this.#lines) line.latch();
    this.settle();
  }

  /** Looks soon whether somebody wants an event that is there. */
  settle(): void {
    if (this.#pending || !this.#lines.some((line) => line.isReady(() => this.#level ?? true))) return;
    this.#pending = true;
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#pending = false;
    const ready = this.#lines.filter((line) => line.isReady(() => this.#level ?? this.#source.isAsserted(line)));
    const unwilling: WireLine[] = [];
    const errors: unknown[] = [];
    for (const line of ready) {
      try {
        if (line.deliver() === 'not-mine') unwilling.push(line);
      } catch (error) {
        errors.push(error); // The neighbours on the wire are asked all the same.
      }
    }
    if (unwilling.length + errors.length < ready.length) for (const line of unwilling) line.handledElsewhere();
    this.#goOn(ready.length > 0);
    if (errors.length > 1) throw new AggregateError(errors, `${this.name}: ${errors.length} handlers threw`);
    if (errors.length === 1) throw errors[0];
  }

  #goOn(hadEvents: boolean): void {
    const { poll } = this.#source;
    if (hadEvents || poll === undefined) {
      if (this.#level !== undefined || hadEvents) this.settle();
      return;
    }
    poll.schedule(() => this.settle());
  }
}

/** One device's end of a wire: core's InterruptLine for the driver. */
export class WireLine implements InterruptLine {
  readonly trigger: Trigger;
  /** Whose line it is, for messages. */
  readonly holder: string;
  readonly #wire: InterruptWire;
  readonly #mask: ((masked: boolean) => void) | undefined;
  #sink: InterruptSink | undefined;
  #enabled = false;
  /** Delivered and not re-armed yet. */
  #inService = false;
  #latched = false;

  constructor(wire: InterruptWire, holder: string, trigger: 'level' | 'edge', mask?: (masked: boolean) => void) {
    this.#wire = wire;
    this.#mask = mask;
    this.holder = holder;
    this.trigger = trigger;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  listen(sink: InterruptSink): void {
    this.#sink = sink;
  }

  enable(): void {
    this.#enabled = true;
    this.#mask?.(false);
    this.rearm();
  }

  /** The device would hold up a line that others share, and nobody answers for it. */
  disable(): void {
    this.#enabled = false;
    this.#mask?.(true);
  }

  rearm(): void {
    this.#inService = false;
    this.#wire.settle();
  }

  /** An edge, which is remembered until it was delivered. */
  latch(): void {
    if (this.trigger === 'edge') this.#latched = true;
  }

  /** Whether it would take an event now. @param isAsserted asked for a level only. */
  isReady(isAsserted: () => boolean): boolean {
    if (!this.#enabled || this.#inService) return false;
    return this.trigger === 'edge' ? this.#latched : isAsserted();
  }

  /** Gives one event to the source. @returns what its owner said of it. */
  deliver(): Verdict {
    if (!this.#enabled || this.#inService) return 'not-mine'; // A neighbour's handler has changed it.
    this.#latched = false;
    this.#inService = true;
    return this.#sink?.event() ?? 'not-mine';
  }

  handledElsewhere(): void {
    this.#sink?.handledElsewhere();
  }

  /** Ends the line. @param reason `undefined` where its device was closed and knows it. */
  end(reason?: string): void {
    this.#enabled = false;
    this.#wire.disconnect(this);
    if (reason !== undefined) this.#sink?.gone(reason);
    this.#sink = undefined;
  }
}
