import { type Clock, DeviceError, type Timer } from '@ring3/core';
import { EventHeap, isBefore, ScheduledEvent } from './event-heap.ts';
import { Pump } from './pump.ts';
import { NODE_TIME, type RealTime } from './real-time.ts';
import { StuckError } from './stuck.ts';

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

interface Waiter {
  reject(error: unknown): void;
}

/**
 * The clock of a simulated machine: events in the order of their time, ties in the order of scheduling.
 *
 * There are two kinds of events. Those of devices also happen while a register access takes its time. Those of the
 * program (timers of a driver, interrupt deliveries) never do: each gets a turn of the event loop of its own, so all
 * continuations of one have run before the next.
 */
export class SimClock implements Clock {
  readonly pace: Pace;
  readonly #ofDevices = new EventHeap();
  readonly #ofProgram = new EventHeap();
  readonly #pump: Pump;
  readonly #waiters = new Set<Waiter>();
  readonly #holds = new Set<{ readonly what: string }>();
  readonly #hints: (() => readonly string[])[] = [];
  #nowNs = 0;
  /** An access that ends before this has nothing to look after. */
  #lookUpNs = Number.POSITIVE_INFINITY;
  #sequence = 0;
  #graceTurns = 0;
  #listeners = 0;
  #insideAccess = false;
  #closed = false;
  /** Paced and waiting: simulated time follows real time from this real time on. */
  #restingSinceMs: number | undefined;

  constructor(pace: Pace = 'instant', real: RealTime = NODE_TIME) {
    this.pace = pace;
    this.#pump = new Pump(
      real,
      () => this.#turn(),
      () => this.#wake(),
    );
  }

  nowUs(): number {
    return (this.#restingSinceMs === undefined ? this.#nowNs : this.#restedNs()) / 1000;
  }

  after(delayUs: number, callback: () => void): Timer {
    return this.#schedule(this.#ofProgram, delayUs, callback);
  }

  /** As {@link after}, for a device: the callback may also run while an access of the program takes its time. */
  afterInDevice(delayUs: number, callback: () => void): Timer {
    const event = this.#schedule(this.#ofDevices, delayUs, callback);
    if (event.atNs < this.#lookUpNs) this.#lookUpNs = event.atNs;
    return event;
  }

  spinNs(ns: number): void {
    this.pass(ns);
  }

  /** Lets the time of an access pass; events of devices that become due happen in it. */
  pass(ns: number): void {
    const endNs = this.#nowNs + ns;
    if (endNs < this.#lookUpNs) this.#nowNs = endNs;
    else this.#passEvents(ns);
  }

  /**
   * Lets `ns` pass only if no device does anything in it.
   * @returns whether it did.
   */
  leap(ns: number): boolean {
    this.#wake();
    if (this.#nowNs + ns >= this.#lookUpNs) return false;
    this.#nowNs += ns;
    return true;
  }

  /** Undoes a {@link leap} in which nothing happened. */
  takeBack(ns: number): void {
    this.#nowNs -= ns;
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
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { reject };
      const settled = () => {
        this.#waiters.delete(waiter);
        this.#keepAlive();
      };
      this.#waiters.add(waiter);
      promise.finally(settled).then(resolve, reject);
      this.#moved();
    });
  }

  /** Lets `us` pass, with everything that happens in it. For `manual`. */
  async advance(us: number): Promise<void> {
    const endNs = this.#nowNs + nanoseconds(us);
    while (await this.#stepUntil(endNs));
    this.#nowNs = Math.max(this.#nowNs, endNs);
    await this.#pump.turn();
  }

  /** Makes the next event happen, whenever it is. For `manual`. @returns false when there is none. */
  step(): Promise<boolean> {
    return this.#stepUntil(Number.POSITIVE_INFINITY);
  }

  /** Counts who could be woken by a device alone (enabled interrupts); events of devices keep the process alive for them. */
  listen(change: 1 | -1): void {
    this.#listeners += change;
    this.#keepAlive();
  }

  /** Adds what a {@link StuckError} should say. */
  explain(hints: () => readonly string[]): void {
    this.#hints.push(hints);
  }

  /** Stops for good: nothing that is scheduled will happen. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ofDevices.clear();
    this.#ofProgram.clear();
    this.#pump.close();
    this.#rejectWaiters(new DeviceError('closed', `the simulation was closed at ${this.nowUs()} us`));
  }

  toString(): string {
    const pending = this.#ofDevices.size + this.#ofProgram.size;
    const held = [...this.#holds].map((hold) => hold.what).join(', ') || 'nothing';
    return `SimClock at ${this.nowUs()} us, ${this.pace}, ${pending} events, held by ${held}`;
  }

  /** Called by events when they are cancelled. */
  withdraw(event: ScheduledEvent): void {
    if (!this.#ofProgram.remove(event)) this.#ofDevices.remove(event);
    this.#keepAlive();
  }

  #schedule(heap: EventHeap, delayUs: number, callback: () => void): ScheduledEvent {
    if (this.#closed)
      throw new DeviceError('closed', 'the simulation was closed: its clock schedules nothing any more');
    this.#wake();
    const event = new ScheduledEvent(this.#nowNs + nanoseconds(delayUs), this.#sequence++, callback, this);
    heap.add(event);
    this.#moved();
    return event;
  }

  /** Something changed: sees to it that there is a turn. */
  #moved(): void {
    this.#graceTurns = 0;
    this.#keepAlive();
    if (this.#mayMove()) this.#pump.soon();
  }

  #mayMove(): boolean {
    if (this.#closed || this.#holds.size > 0) return false;
    return this.pace !== 'manual' || this.#waiters.size > 0;
  }

  #keepAlive(): void {
    const awaited = this.#waiters.size > 0 || this.#ofProgram.size > 0;
    this.#pump.keepAlive(awaited || (this.#listeners > 0 && this.#ofDevices.size > 0));
  }

  #next(): ScheduledEvent | undefined {
    const device = this.#ofDevices.first;
    const program = this.#ofProgram.first;
    if (device === undefined || program === undefined) return device ?? program;
    return isBefore(device, program) ? device : program;
  }

  #turn(): void {
    if (!this.#mayMove()) return;
    const next = this.#next();
    if (next === undefined) this.#nothingScheduled();
    else if (this.pace === 'paced' && next.atNs - this.#nowNs > NEAR_NS) this.#rest(next);
    else this.#runTurn(next);
  }

  /** One event; when it is a device's, also the interrupt that it may have caused. */
  #runTurn(first: ScheduledEvent): void {
    try {
      const ofDevice = this.#happen(first);
      const next = this.#next();
      if (ofDevice && next !== undefined && next.atNs - this.#nowNs <= NEAR_NS && this.#mayMove()) {
        if (next === this.#ofProgram.first) this.#happen(next);
      }
    } catch (error) {
      if (!this.#rejectWaiters(error)) throw error;
    } finally {
      this.#moved();
    }
  }

  /** @returns whether it was an event of a device. */
  #happen(event: ScheduledEvent): boolean {
    const ofDevice = this.#ofDevices.remove(event);
    if (ofDevice) this.#lookUpNs = this.#ofDevices.first?.atNs ?? Number.POSITIVE_INFINITY;
    else this.#ofProgram.remove(event);
    if (event.atNs > this.#nowNs) this.#nowNs = event.atNs;
    event.callback();
    return ofDevice;
  }

  #passEvents(ns: number): void {
    this.#wake();
    const endNs = this.#nowNs + ns;
    if (!this.#insideAccess) {
      this.#insideAccess = true;
      for (
        let event = this.#ofDevices.first;
        event !== undefined && event.atNs <= endNs;
        event = this.#ofDevices.first
      ) {
        try {
          this.#happen(event);
        } catch (error) {
          this.#surface(error); // Not the access's fault: it must not be caught by who made it.
        }
      }
      this.#insideAccess = false;
    }
    this.#nowNs = Math.max(this.#nowNs, endNs);
  }

  async #stepUntil(endNs: number): Promise<boolean> {
    if (this.pace !== 'manual')
      throw new Error(`this clock is ${this.pace}: it moves by itself; await what you wait for`);
    do await this.#pump.turn();
    while (this.#holds.size > 0);
    const next = this.#next();
    if (next === undefined || next.atNs > endNs) return false;
    this.#happen(next);
    await this.#pump.turn();
    return true;
  }

  #nothingScheduled(): void {
    if (this.#waiters.size === 0) {
      if (this.pace === 'paced') this.#rest(undefined);
      return;
    }
    if (this.#graceTurns++ < GRACE_TURNS) {
      this.#pump.soon();
      return;
    }
    const hints = this.#hints.flatMap((hint) => hint());
    this.#rejectWaiters(new StuckError({ nowUs: this.nowUs(), waiters: this.#waiters.size, hints }));
  }

  #rejectWaiters(error: unknown): boolean {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
    return waiters.length > 0;
  }

  #surface(error: unknown): void {
    if (!this.#rejectWaiters(error)) this.#pump.throwUncaught(error);
  }

  /** Follows real time until `next`, or until somebody asks for something. */
  #rest(next: ScheduledEvent | undefined): void {
    this.#restingSinceMs = this.#pump.nowMs();
    this.#lookUpNs = Number.NEGATIVE_INFINITY;
    if (next !== undefined) this.#pump.later((next.atNs - this.#nowNs) / 1e6);
  }

  #wake(): void {
    if (this.#restingSinceMs === undefined) return;
    this.#nowNs = this.#restedNs();
    this.#restingSinceMs = undefined;
    this.#lookUpNs = this.#ofDevices.first?.atNs ?? Number.POSITIVE_INFINITY;
    this.#moved();
  }

  /** Where resting has brought simulated time: never past an event. */
  #restedNs(): number {
    const elapsedNs = Math.round((this.#pump.nowMs() - (this.#restingSinceMs ?? 0)) * 1e6);
    return Math.min(this.#nowNs + elapsedNs, this.#next()?.atNs ?? Number.POSITIVE_INFINITY);
  }
}

function nanoseconds(us: number): number {
  if (!Number.isFinite(us)) throw new RangeError(`${us} us is no time that can pass`);
  return us > 0 ? Math.round(us * 1000) : 0;
}
