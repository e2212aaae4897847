import type { Clock } from '../clock.ts';
import type { InterruptLine, InterruptSink, Trigger } from '../interrupt.ts';

/** One interrupt line of a {@link TinyMachine}: events are remembered, delivered on the clock, one at a time. */
export class TinyLine implements InterruptLine {
  readonly trigger: Trigger;
  readonly wire: TinyWire;
  sink: InterruptSink | undefined;
  latched = 0;
  #enabled = false;
  #inService = false;

  constructor(wire: TinyWire, trigger: Trigger) {
    this.trigger = trigger;
    this.wire = wire;
    wire.lines.push(this);
  }

  get ready(): boolean {
    return this.#enabled && !this.#inService && (this.latched > 0 || this.wire.asserted.size > 0);
  }

  listen(sink: InterruptSink): void {
    this.sink = sink;
  }

  enable(): void {
    this.#enabled = true;
    this.rearm();
  }

  disable(): void {
    this.#enabled = false;
  }

  rearm(): void {
    this.#inService = false;
    this.wire.settle();
  }

  latch(): void {
    this.latched = this.trigger === 'edge' ? 1 : this.latched + 1;
    this.wire.settle();
  }

  deliver(): boolean {
    if (this.latched > 0) this.latched--;
    this.#inService = this.trigger !== 'message';
    return this.sink?.event() === 'handled';
  }
}

/** What lines hang on; a level is there as long as anybody asserts it. */
export class TinyWire {
  readonly lines: TinyLine[] = [];
  readonly asserted = new Set<object>();
  readonly #clock: Clock;
  #pending = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  assert(by: object, level: boolean): void {
    if (level) this.asserted.add(by);
    else this.asserted.delete(by);
    this.settle();
  }

  settle(): void {
    if (this.#pending || !this.lines.some((line) => line.ready)) return;
    this.#pending = true;
    this.#clock.after(1, () => {
      this.#pending = false;
      const asked = this.lines.filter((line) => line.ready).map((line) => ({ line, handled: line.deliver() }));
      if (asked.some(({ handled }) => handled)) {
        for (const { line, handled } of asked) if (!handled) line.sink?.handledElsewhere();
      }
      this.settle();
    });
  }
}
