import { type Observable, Subject } from 'rxjs';
import type { Clock } from './clock.ts';
import { DeviceError } from './device-error.ts';
import { type Logger, SILENT } from './log.ts';

/** What kind of line it is; decides when it is re-armed. `polled`: there is no line, a timer asks. */
export type Trigger = 'level' | 'edge' | 'message' | 'polled';

/** One interrupt as its owner and its observers see it. */
export interface Interrupt {
  /** Counts the events of this source from 1. */
  readonly count: number;
  /** When it was delivered, on the device's clock. */
  readonly atUs: number;
  /** Events that the kernel counted but did not deliver one by one; only on sources that count while masked. */
  readonly missed?: number;
}

/** What a handler says of an interrupt: a shared line asks everyone on it. */
export type Verdict = 'handled' | 'not-mine';

/** Looks at the device and clears the cause. Runs to its end without waiting. */
export type InterruptHandler = (interrupt: Interrupt) => Verdict;

/** Where a line delivers: given to {@link InterruptLine.listen} by the source. */
export interface InterruptSink {
  event(missed?: number): void;
  /** The device is gone; nothing more will come. */
  gone(reason: string): void;
}

/**
 * What a backend implements: one line or message of one device. Never delivers from inside a register access
 * or from inside one of these calls.
 */
export interface InterruptLine {
  readonly trigger: Trigger;
  listen(sink: InterruptSink): void;
  /** Lets events through. */
  enable(): void;
  /** Holds events back; a level that is still there is delivered after `enable`. */
  disable(): void;
  /** Ends the masking that the delivery of an event brought with it, where there is one. */
  rearm(): void;
}

/** Counters of a source, for `ring3 irq` and for tests. */
export interface InterruptStatistics {
  readonly events: number;
  readonly handled: number;
  readonly notMine: number;
  readonly storms: number;
}

/** Events in a row that nobody wants, after which the line is taken for stuck (as `note_interrupt` of Linux does). */
const STORM_LIMIT = 1000;
const STORM_POLL_US = 1000;
const STORM_PAUSE_FIRST_US = 10_000;
const STORM_PAUSE_MAX_US = 1_000_000;

interface Waiter {
  resolve(interrupt: Interrupt): void;
  reject(error: Error): void;
}

/**
 * The interrupt of a device: one owner who handles it, any number of observers who cannot disturb it.
 *
 * The line is re-armed exactly once per event, after the owner for a level (clear the cause, flush, rearm), before
 * the owner for an edge (rearm, then drain until empty). When nobody wants 1000 events in a row, the line is
 * masked and the owner is asked every millisecond instead, until the line is tried again.
 */
export class InterruptSource {
  readonly name: string;
  /** Resolves with the reason when nothing more will come; never rejects. */
  readonly closed: Promise<string>;
  readonly #line: InterruptLine;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #fired = new Subject<Interrupt>();
  readonly #waiters = new Set<Waiter>();
  #handler: InterruptHandler | undefined;
  #closedReason: string | undefined;
  #resolveClosed: (reason: string) => void = () => {};
  #enabled = false;
  #events = 0;
  #handled = 0;
  #notMine = 0;
  #notMineInARow = 0;
  #storms = 0;
  #stormPauseUs = STORM_PAUSE_FIRST_US;
  #polling = false;

  constructor(name: string, line: InterruptLine, clock: Clock, log: Logger = SILENT) {
    this.name = name;
    this.#line = line;
    this.#clock = clock;
    this.#log = log;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    line.listen({ event: (missed) => this.#event(missed), gone: (reason) => this.#end(reason) });
  }

  get trigger(): Trigger {
    return this.#line.trigger;
  }

  /** The interrupts that the owner handled. Completes when the device is gone; never errors. */
  get fired$(): Observable<Interrupt> {
    return this.#fired.asObservable();
  }

  get statistics(): InterruptStatistics {
    return { events: this.#events, handled: this.#handled, notMine: this.#notMine, storms: this.#storms };
  }

  /**
   * Makes `handler` the owner. The line stays masked until {@link enable}.
   * @returns a function that masks the line and ends the ownership.
   * @throws DeviceError `busy` when there is an owner.
   */
  attach(handler: InterruptHandler): () => void {
    if (this.#handler !== undefined) {
      throw new DeviceError('busy', `${this.name} has an owner already: detach it first; observers use fired$`);
    }
    this.#handler = handler;
    return () => {
      if (this.#handler !== handler) return;
      this.disable();
      this.#handler = undefined;
    };
  }

  /**
   * Unmasks the line.
   * @throws DeviceError `closed` without an owner, since nobody would clear the cause.
   */
  enable(): void {
    if (this.#handler === undefined) throw new DeviceError('closed', `${this.name}: attach a handler before enable()`);
    if (this.#enabled || this.#closedReason !== undefined) return;
    this.#enabled = true;
    if (!this.#polling) this.#line.enable();
  }

  /** Masks the line; nothing is delivered until {@link enable}. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    if (!this.#polling) this.#line.disable();
  }

  /**
   * The next interrupt that the owner handles. Used by `interruptAfter`, which adds a deadline and the right order.
   * @returns the promise and a way to stop waiting.
   */
  next(): { readonly interrupt: Promise<Interrupt>; cancel(error: Error): void } {
    let waiter: Waiter | undefined;
    const interrupt = new Promise<Interrupt>((resolve, reject) => {
      if (this.#closedReason !== undefined) {
        reject(new DeviceError('gone', `${this.name}: no interrupt will come: ${this.#closedReason}`));
        return;
      }
      waiter = { resolve, reject };
      this.#waiters.add(waiter);
    });
    return {
      interrupt,
      cancel: (error) => {
        if (waiter !== undefined && this.#waiters.delete(waiter)) waiter.reject(error);
      },
    };
  }

  /** Ends the source: masks the line, completes `fired$`. */
  close(reason = 'closed'): void {
    this.disable();
    this.#end(reason);
  }

  toString(): string {
    return `InterruptSource ${this.name}, ${this.trigger}, ${this.#events} events`;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  #event(missed: number | undefined): void {
    if (!this.#enabled) return;
    const { trigger } = this.#line;
    if (trigger === 'edge') this.#line.rearm();
    this.#ask(missed);
    if (trigger === 'level' && this.#enabled && !this.#polling) this.#line.rearm();
  }

  /** Asks the owner once. A throwing owner has lost control of its device: masked, then reported as uncaught. */
  #ask(missed: number | undefined): Verdict {
    const handler = this.#handler;
    if (handler === undefined) return 'not-mine';
    this.#events++;
    const base = { count: this.#events, atUs: this.#clock.nowUs() };
    const interrupt: Interrupt = missed === undefined ? base : { ...base, missed };
    let verdict: Verdict;
    try {
      verdict = handler(interrupt);
    } catch (error) {
      this.disable();
      throw error;
    }
    if (verdict === 'handled') this.#deliver(interrupt);
    else this.#countNotMine();
    return verdict;
  }

  #deliver(interrupt: Interrupt): void {
    this.#handled++;
    this.#notMineInARow = 0;
    this.#stormPauseUs = STORM_PAUSE_FIRST_US;
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.resolve(interrupt);
    }
    this.#fired.next(interrupt);
  }

  #countNotMine(): void {
    this.#notMine++;
    this.#notMineInARow++;
    if (this.#notMineInARow < STORM_LIMIT || this.#polling) return;
    this.#storms++;
    this.#polling = true;
    this.#line.disable();
    this.#log.warn(`${this.name}: ${STORM_LIMIT} interrupts in a row that nobody wanted; masked and polled`, {
      pauseUs: this.#stormPauseUs,
    });
    this.#pollStuckLine(this.#clock.nowUs() + this.#stormPauseUs);
    this.#stormPauseUs = Math.min(this.#stormPauseUs * 2, STORM_PAUSE_MAX_US);
  }

  #pollStuckLine(tryAgainAtUs: number): void {
    this.#clock.after(STORM_POLL_US, () => {
      if (this.#closedReason !== undefined) return;
      if (this.#clock.nowUs() < tryAgainAtUs) {
        if (this.#enabled) this.#ask(undefined);
        this.#pollStuckLine(tryAgainAtUs);
        return;
      }
      this.#polling = false;
      this.#notMineInARow = 0;
      if (this.#enabled) this.#line.enable();
    });
  }

  #end(reason: string): void {
    if (this.#closedReason !== undefined) return;
    this.#closedReason = reason;
    this.#enabled = false;
    for (const waiter of this.#waiters) waiter.reject(new DeviceError('gone', `${this.name}: no interrupt will come: ${reason}`));
    this.#waiters.clear();
    this.#fired.complete();
    this.#resolveClosed(reason);
  }
}
