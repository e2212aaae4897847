import { type Observable, Subject } from 'rxjs';
import type { Clock } from './clock.ts';
import { DeviceError } from './device-error.ts';
import type { Interrupt, InterruptHandler, InterruptLine, InterruptStatistics, Trigger, Verdict } from './interrupt.ts';
import { type Logger, SILENT } from './log.ts';
import { StuckLine } from './stuck-line.ts';

interface Waiter {
  resolve(interrupt: Interrupt): void;
  reject(error: Error): void;
}

/**
 * The interrupt of a device: one owner who handles it, any number of observers who cannot disturb it.
 *
 * The line is re-armed exactly once per event, after the owner for a level (clear the cause, flush, rearm), before
 * the owner for an edge (rearm, then drain until empty). When nobody wants 1000 events in a row, the line is
 * masked and the owner is asked every millisecond instead, until the line is tried again. An owner that throws finds
 * its line masked; the error surfaces where the line delivers.
 */
export class InterruptSource {
  readonly name: string;
  /** Resolves with the reason when nothing more will come; never rejects. */
  readonly closed: Promise<string>;
  readonly #line: InterruptLine;
  readonly #clock: Clock;
  readonly #fired = new Subject<Interrupt>();
  readonly #waiters = new Set<Waiter>();
  #handler: InterruptHandler | undefined;
  #closedReason: string | undefined;
  #resolveClosed: (reason: string) => void = () => {};
  #enabled = false;
  #events = 0;
  #handled = 0;
  #notMine = 0;
  /** A level was delivered, which masks the line until it is re-armed or enabled anew. */
  #masked = false;
  readonly #stuck: StuckLine;

  constructor(name: string, line: InterruptLine, clock: Clock, log: Logger = SILENT) {
    this.name = name;
    this.#line = line;
    this.#clock = clock;
    this.#stuck = new StuckLine(name, clock, log, {
      mask: () => line.disable(),
      ask: () => {
        if (this.#enabled) this.#ask(undefined, false);
      },
      unmask: () => {
        if (this.#enabled) this.#unmask();
      },
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    line.listen({
      event: (missed) => this.#event(missed),
      handledElsewhere: () => this.#stuck.wanted(),
      gone: (reason) => this.#end(reason),
    });
  }

  get trigger(): Trigger {
    return this.#line.trigger;
  }

  /** The interrupts that the owner handled. Completes when the device is gone; never errors. */
  get fired$(): Observable<Interrupt> {
    return this.#fired.asObservable();
  }

  get statistics(): InterruptStatistics {
    return { events: this.#events, handled: this.#handled, notMine: this.#notMine, storms: this.#stuck.storms };
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
    let attached = true;
    return () => {
      if (!attached) return;
      attached = false;
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
    if (!this.#stuck.polling) this.#unmask();
  }

  /** Whether the owner wants events. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** Masks the line; nothing is delivered until {@link enable}. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    if (!this.#stuck.polling) this.#line.disable();
  }

  /**
   * The next interrupt that the owner handles. Used by `interruptAfter`, which adds a deadline and the right order.
   * The promise may be left alone: its failure is never an unhandled rejection.
   * @returns the promise and a way to stop waiting.
   * @throws DeviceError `gone` when the source has ended.
   */
  next(): { readonly interrupt: Promise<Interrupt>; cancel(error: Error): void } {
    if (this.#closedReason !== undefined) throw this.#goneError(this.#closedReason);
    let waiter: Waiter = { resolve: () => {}, reject: () => {} };
    const interrupt = new Promise<Interrupt>((resolve, reject) => {
      waiter = { resolve, reject };
    });
    interrupt.catch(() => {});
    this.#waiters.add(waiter);
    return {
      interrupt,
      cancel: (error) => {
        if (this.#waiters.delete(waiter)) waiter.reject(error);
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

  #event(missed: number | undefined): Verdict {
    if (!this.#enabled || this.#stuck.polling) return 'not-mine';
    const { trigger } = this.#line;
    if (trigger === 'edge') this.#line.rearm();
    this.#masked = trigger === 'level';
    const verdict = this.#ask(missed, trigger !== 'polled');
    if (verdict === 'not-mine' && trigger !== 'polled') this.#stuck.unwanted();
    if (this.#masked && this.#enabled && !this.#stuck.polling) {
      this.#masked = false;
      this.#line.rearm();
    }
    return verdict;
  }

  /**
   * Asks the owner once. A throwing owner has lost control of its device: the line is masked, who waits is told.
   * @param fired whether the line said something, or a poll asks for itself.
   */
  #ask(missed: number | undefined, fired: boolean): Verdict {
    const handler = this.#handler;
    if (handler === undefined) return 'not-mine';
    const base = { count: this.#events + 1, atUs: this.#clock.nowUs() };
    const interrupt: Interrupt = missed === undefined ? base : { ...base, missed };
    let verdict: Verdict;
    try {
      verdict = handler(interrupt);
    } catch (error) {
      this.disable();
      this.#rejectWaiters(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
    if (fired || verdict === 'handled') this.#events++;
    if (verdict === 'handled') this.#deliver(interrupt);
    else if (fired) this.#notMine++;
    return verdict;
  }

  #deliver(interrupt: Interrupt): void {
    this.#handled++;
    this.#stuck.wanted();
    for (const waiter of this.#waiters) waiter.resolve(interrupt);
    this.#waiters.clear();
    this.#fired.next(interrupt);
  }

  #unmask(): void {
    this.#masked = false;
    this.#line.enable();
  }

  #rejectWaiters(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }

  #goneError(reason: string): DeviceError {
    return new DeviceError('gone', `${this.name}: no interrupt will come: ${reason}`);
  }

  #end(reason: string): void {
    if (this.#closedReason !== undefined) return;
    this.#closedReason = reason;
    this.#enabled = false;
    this.#stuck.stop();
    this.#rejectWaiters(this.#goneError(reason));
    this.#fired.complete();
    this.#resolveClosed(reason);
  }
}
