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

/** Where a line delivers: given to {@link InterruptLine.listen} by the `InterruptSource`. */
export interface InterruptSink {
  /**
   * One event.
   * @returns what the owner said of it, for lines that are shared.
   * @throws what the owner threw, after the source has masked the line: the line asks its other sinks, then lets it
   *   surface as an uncaught error.
   */
  event(missed?: number): Verdict;
  /** On a shared line: somebody else handled the event that this owner did not want, so the line is not stuck. */
  handledElsewhere(): void;
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
  /** Lets events through, and ends the masking that the delivery of an event brought with it. */
  enable(): void;
  /** Holds events back; a level that is still there is delivered after `enable`. */
  disable(): void;
  /** Ends the masking that the delivery of an event brought with it; called once per event, never while disabled. */
  rearm(): void;
}

/** Counters of a source, for `ring3 irq` and for tests. */
export interface InterruptStatistics {
  /** Events that the line delivered, and those that a poll found. */
  readonly events: number;
  readonly handled: number;
  readonly notMine: number;
  readonly storms: number;
}
