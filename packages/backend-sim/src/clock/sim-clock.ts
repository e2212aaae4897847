import { type Clock, DeviceError, type Timer } from '@ring3/core';
import type { ScheduledEvent } from './event-heap.ts';
import type { EventKind } from './event-queue.ts';
import { Pump } from './pump.ts';
import { NODE_TIME, type RealTime } from './real-time.ts';
import { StuckError } from './stuck.ts';
import { Timeline } from './timeline.ts';
import { Waiters } from './waiters.ts';

/**
 * How simulated time moves on.
 * - `instant`: it jumps to the next event as soon as the program is idle.
 * - `manual`: only {@link SimClock.advance}, {@link SimClock.step} and {@link SimClock.run} make it jump.
 * - `paced`: events within a millisecond happen at once, later ones after the real time that is left.
 */
export type Pace = 'instant' | 'manual' | 'paced';

/** Up to here a real timer would cost more than it waits for. */
const NEAR_NS = 1_000_000;
/** Turns of the event loop that a program gets to think of something before it is called stuck. */
const GRACE_TURNS = 10;

/**
 * The clock of a simulated machine: events in the order of their time, ties in the order of scheduling.
 *
 * There are two kinds of events. Those of devices also happen while a register access takes its time. Those of the
 * program (timers of a driver, interrupt deliveries) never do: each gets a turn of the event loop of its own, so all
 * continuations of one have run before the next.
 */
export class SimClock implements Clock {
  readonly pace: Pace;
  readonly #time = new Timeline({
    withdrawn: () => this.#updateKeepAlive(),
    touched: () => this.#wake(),
    surfaced: (error) => this.#surface(error),
  });
  readonly #events = this.#time.events;
  readonly #pump: Pump;
  readonly #waiters = new Waiters();
  readonly #holds = new Set<{ readonly what: string }>();
  readonly #hints: (() => readonly string[])[] = [];
  /** Paced and waiting: simulated time follows real time, from this real time on. */
  #restingSinceMs: number | undefined;
  #graceTurns = 0;
  #listeners = 0;
  #closed = false;

  constructor(pace: Pace = 'instant', real: RealTime = NODE_TIME) {
    this.pace = pace;
    this.#pump = new Pump(
      real,
      () => this.#turn(),
      () => this.#wake(),
    );
  }

  nowUs(): number {
    return (this.#restingSinceMs === undefined ? this.#time.nowNs : this.#restedNs()) / 1000;
  }

  after(delayUs: number, callback: () => void): Timer {
    return this.#schedule('program', delayUs, callback);
  }

  /** As {@link after}, for a device: the callback may also run while an access of the program takes its time. */
  afterInDevice(delayUs: number, callback: () => void): Timer {
    return this.#schedule('device', delayUs, callback);
  }

  spinNs(ns: number): void {
    this.pass(ns);
  }

  /** Lets the time of an access pass; events of devices that become due happen in it. */
  pass(ns: number): void {
    this.#time.pass(ns);
  }

  /** Lets `ns` pass only if no device does anything in it. @returns whether it did. */
  leap(ns: number): boolean {
    return this.#time.leap(ns);
  }

  /** Undoes a {@link leap} in which nothing happened. */
  takeBack(ns: number): void {
    this.#time.nowNs -= ns;
  }

  /**
   * Simulated time stands still until `work` settles: nothing is due meanwhile, though accesses still take their time.
   * A rejection surfaces like an exception of an event.
   */
  hold(what: string, work: Promise<unknown>): void {
    this.#wake();
    const hold = { what };
    this.#holds.add(hold);
    const release = () => {
      this.#holds.delete(hold);
      this.#moved();
    };
    work.then(release, (error) => {
      release();
      this.#surface(error);
    });
  }

  /**
   * Drives the simulation until `promise` settles.
   * @throws StuckError at once when it cannot settle any more; whatever an event throws meanwhile.
   */
  run<T>(promise: Promise<T>): Promise<T> {
    const awaited = this.#waiters.add(promise, () => this.#updateKeepAlive());
    this.#moved();
    return awaited;
  }

  /** Lets `us` pass, with everything that happens in it. For `manual`. */
  async advance(us: number): Promise<void> {
    const endNs = this.#time.nowNs + nanoseconds(us);
    while (await this.#stepUntil(endNs));
    this.#time.nowNs = Math.max(this.#time.nowNs, endNs);
    await this.#pump.turn();
  }

  /** Makes the next event happen, whenever it is. For `manual`. @returns false when there is none. */
  step(): Promise<boolean> {
    return this.#stepUntil(Number.POSITIVE_INFINITY);
  }

  /** Counts who could be woken by a device alone (enabled interrupts): for them its events keep the process alive. */
  listen(change: 1 | -1): void {
    this.#listeners += change;
    this.#updateKeepAlive();
  }

  /** Adds what a {@link StuckError} should say. */
  explain(hints: () => readonly string[]): void {
    this.#hints.push(hints);
  }

  /** Stops for good: nothing that is scheduled will happen. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.clear();
    this.#pump.close();
    this.#waiters.rejectAll(new DeviceError('closed', `the simulation was closed at ${this.nowUs()} us`));
  }

  toString(): string {
    const pending = this.#events.devices + this.#events.program;
    const held = [...this.#holds].map((hold) => hold.what).join(', ') || 'nothing';
    return `SimClock at ${this.nowUs()} us, ${this.pace}, ${pending} events, held by ${held}`;
  }

  #schedule(kind: EventKind, delayUs: number, callback: () => void): ScheduledEvent {
    if (this.#closed)
      throw new DeviceError('closed', 'the simulation was closed: its clock schedules nothing any more');
    this.#wake();
    const event = this.#time.schedule(kind, nanoseconds(delayUs), callback);
    this.#moved();
    return event;
  }

  /** Something changed: sees to it that there is a turn. */
  #moved(): void {
    this.#graceTurns = 0;
    this.#updateKeepAlive();
    if (this.#mayMove()) this.#pump.soon();
  }

  #mayMove(): boolean {
    if (this.#closed || this.#holds.size > 0) return false;
    return this.pace !== 'manual' || this.#waiters.size > 0;
  }

  #updateKeepAlive(): void {
    const awaited = this.#waiters.size > 0 || this.#events.program > 0;
    this.#pump.keepAlive(awaited || (this.#listeners > 0 && this.#events.devices > 0));
  }

  #turn(): void {
    if (!this.#mayMove()) return;
    this.#catchUp();
    const { next } = this.#events;
    if (next === undefined) this.#nothingScheduled();
    else if (this.pace === 'paced' && next.atNs - this.#time.nowNs > NEAR_NS) this.#rest(next);
    else this.#runTurn(next);
  }

  /** One event; when it is a device's, also the event of the program that follows: the interrupt that it caused. */
  #runTurn(first: ScheduledEvent): void {
    try {
      if (this.#time.happen(first) === 'program') return;
      const { next, nextOfDevices } = this.#events;
      const near = next !== undefined && next.atNs - this.#time.nowNs <= NEAR_NS;
      if (near && next !== nextOfDevices && this.#mayMove()) this.#time.happen(next);
    } catch (error) {
      if (!this.#waiters.rejectAll(error)) throw error;
    } finally {
      this.#moved();
    }
  }

  async #stepUntil(endNs: number): Promise<boolean> {
    if (this.pace !== 'manual') throw new Error(`this clock is ${this.pace}: it moves by itself; await what you want`);
    do await this.#pump.turn();
    while (this.#holds.size > 0);
    const { next } = this.#events;
    if (next === undefined || next.atNs > endNs) return false;
    this.#time.happen(next);
    await this.#pump.turn();
    return true;
  }

  #nothingScheduled(): void {
    if (this.#waiters.size === 0) {
      if (this.pace === 'paced') this.#rest(undefined);
    } else if (this.#graceTurns++ < GRACE_TURNS) {
      this.#pump.soon();
    } else {
      const hints = this.#hints.flatMap((hint) => hint());
      this.#waiters.rejectAll(new StuckError({ nowUs: this.nowUs(), waiters: this.#waiters.size, hints }));
    }
  }

  #surface(error: unknown): void {
    if (!this.#waiters.rejectAll(error)) this.#pump.throwUncaught(error);
  }

  /** Follows real time until `next`, or until somebody asks for something. */
  #rest(next: ScheduledEvent | undefined): void {
    this.#restingSinceMs = this.#pump.nowMs();
    this.#time.watch();
    if (next !== undefined) this.#pump.later((next.atNs - this.#time.nowNs) / 1e6);
  }

  #wake(): void {
    if (this.#catchUp()) this.#moved();
  }

  /** Ends a rest. @returns whether there was one. */
  #catchUp(): boolean {
    if (this.#restingSinceMs === undefined) return false;
    this.#time.nowNs = this.#restedNs();
    this.#restingSinceMs = undefined;
    this.#time.unwatch();
    return true;
  }

  /** Where resting has brought simulated time: never past an event. */
  #restedNs(): number {
    const elapsedNs = Math.round((this.#pump.nowMs() - (this.#restingSinceMs ?? 0)) * 1e6);
    return Math.min(this.#time.nowNs + elapsedNs, this.#events.next?.atNs ?? Number.POSITIVE_INFINITY);
  }
}

function nanoseconds(us: number): number {
  if (!Number.isFinite(us)) throw new RangeError(`${us} us is no time that can pass`);
  return us > 0 ? Math.round(us * 1000) : 0;
}
