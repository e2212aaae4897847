import type { SimClock } from '../clock/sim-clock.ts';
import type { DevicePin } from '../interrupts/device-pin.ts';
import type { InterruptPin } from '../model/device-model.ts';
import type { OccurrenceCounter } from './occurrence.ts';
import type { InterruptFault } from './plan.ts';
import type { FaultTrace } from './trace.ts';

/** Far enough behind the first that a handler has run in between. */
const DUPLICATE_AFTER_US = 10;

/** An interrupt output whose events get lost, late or doubled as the plan says. */
export class FaultyPin implements InterruptPin {
  readonly #inner: DevicePin;
  readonly #rules: readonly { readonly fault: InterruptFault; readonly counter: OccurrenceCounter }[];
  readonly #clock: SimClock;
  readonly #trace: FaultTrace;
  readonly #name: string;
  #level = false;

  constructor(
    name: string,
    inner: DevicePin,
    rules: readonly { readonly fault: InterruptFault; readonly counter: OccurrenceCounter }[],
    { clock, trace }: { readonly clock: SimClock; readonly trace: FaultTrace },
  ) {
    this.#name = name;
    this.#inner = inner;
    this.#rules = rules;
    this.#clock = clock;
    this.#trace = trace;
  }

  raise(): void {
    if (this.#level) return;
    this.#level = true;
    this.#event(() => this.#inner.raise());
  }

  lower(): void {
    this.#level = false;
    this.#inner.lower();
  }

  pulse(): void {
    this.lower();
    this.#event(() => this.#inner.pulse());
  }

  #event(pass: () => void): void {
    const hits = this.#rules.filter(({ counter }) => counter.next()).map(({ fault }) => fault);
    if (hits.length > 0) this.#trace.add(`${this.#name}: ${hits.map(effectName).join(', ')}`);
    if (hits.some((hit) => hit.lose)) return;
    const delayUs = hits.reduce((sum, hit) => sum + (hit.delayUs ?? 0), 0);
    if (delayUs > 0) this.#clock.afterInDevice(delayUs, () => this.#late());
    else pass();
    if (hits.some((hit) => hit.duplicate)) {
      this.#clock.afterInDevice(delayUs + DUPLICATE_AFTER_US, () => this.#inner.glitch());
    }
  }

  /** A level that was taken back meanwhile is not seen at all; an edge or a message is on its way. */
  #late(): void {
    if (this.#inner.trigger !== 'level') this.#inner.glitch();
    else if (this.#level) this.#inner.raise();
  }
}

function effectName(fault: InterruptFault): string {
  return (['lose', 'delayUs', 'duplicate'] as const).filter((name) => fault[name] !== undefined).join('+');
}
