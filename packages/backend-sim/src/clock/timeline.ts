import type { ScheduledEvent } from './event-heap.ts';
import { type EventKind, EventQueue } from './event-queue.ts';

/** Whom a {@link Timeline} tells. */
export interface TimelineOwner {
  /** An event was cancelled. */
  withdrawn(): void;
  /** Time is about to pass although {@link Timeline.watch} was called. */
  touched(): void;
  /** An event threw inside an access; that is not the access's fault, so it must not be caught by who made it. */
  surfaced(error: unknown): void;
}

/** Simulated time and what is scheduled on it; knows nothing of real time. */
export class Timeline {
  nowNs = 0;
  readonly #owner: TimelineOwner;
  readonly #events: EventQueue;
  /** An access that ends before this has nothing to look after. */
  #lookUpNs = Number.POSITIVE_INFINITY;
  #insideAccess = false;

  constructor(owner: TimelineOwner) {
    this.#owner = owner;
    this.#events = new EventQueue(() => owner.withdrawn());
  }

  get events(): EventQueue {
    return this.#events;
  }

  schedule(kind: EventKind, delayNs: number, callback: () => void): ScheduledEvent {
    const event = this.#events.add(kind, this.nowNs + delayNs, callback);
    if (kind === 'device' && event.atNs < this.#lookUpNs) this.#lookUpNs = event.atNs;
    return event;
  }

  /** Lets the time of an access pass; events of devices that become due happen in it. */
  pass(ns: number): void {
    const endNs = this.nowNs + ns;
    if (endNs < this.#lookUpNs) this.nowNs = endNs;
    else this.#passEvents(ns);
  }

  /** Lets `ns` pass only if no device does anything in it. @returns whether it did. */
  leap(ns: number): boolean {
    if (this.#lookUpNs === Number.NEGATIVE_INFINITY) this.#owner.touched();
    if (this.nowNs + ns >= this.#lookUpNs) return false;
    this.nowNs += ns;
    return true;
  }

  /** Makes an event happen at its time. @returns whose it was. */
  happen(event: ScheduledEvent): EventKind {
    const kind = this.#events.take(event);
    if (kind === 'device') this.unwatch();
    if (event.atNs > this.nowNs) this.nowNs = event.atNs;
    event.callback();
    return kind;
  }

  /** The owner wants to be told before time passes. */
  watch(): void {
    this.#lookUpNs = Number.NEGATIVE_INFINITY;
  }

  unwatch(): void {
    this.#lookUpNs = this.#events.nextOfDevices?.atNs ?? Number.POSITIVE_INFINITY;
  }

  #passEvents(ns: number): void {
    if (this.#lookUpNs === Number.NEGATIVE_INFINITY) this.#owner.touched();
    const endNs = this.nowNs + ns;
    if (!this.#insideAccess) {
      this.#insideAccess = true;
      this.#happenUntil(endNs);
      this.#insideAccess = false;
    }
    this.nowNs = Math.max(this.nowNs, endNs);
  }

  #happenUntil(endNs: number): void {
    for (;;) {
      const event = this.#events.nextOfDevices;
      if (event === undefined || event.atNs > endNs) return;
      try {
        this.happen(event);
      } catch (error) {
        this.#owner.surfaced(error);
      }
    }
  }
}
