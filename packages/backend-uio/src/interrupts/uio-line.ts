import {
  DeviceError,
  type InterruptLine,
  type InterruptSink,
  isDeviceError,
  type Logger,
  type Trigger,
} from '@ring3/core';
import { errnoOf, type Watch, type WatchEvent } from '@ring3/linux';
import type { InterruptControl } from './interrupt-control.ts';
import type { UioEvents } from './uio-events.ts';

/** What a {@link UioLine} needs. */
export interface UioLineParts {
  /** For messages: `0000:00:04.0`. */
  readonly name: string;
  readonly trigger: Trigger;
  readonly events: UioEvents;
  readonly control: InterruptControl;
  /** The total before the first event, as sysfs prints it. */
  readonly total: number;
  /** Whether a jump of the total means missed events; otherwise the kernel masks at each. */
  readonly countsWhileMasked: boolean;
  readonly log: Logger;
  /** Told when the node says that the device is gone. */
  readonly lost: (reason: string) => void;
}

/** The interrupt of a UIO device: the kernel counts, the event loop watches, nothing blocks. */
export class UioLine implements InterruptLine {
  readonly trigger: Trigger;
  readonly #parts: UioLineParts;
  #sink: InterruptSink | undefined;
  #watch: Watch | undefined;
  /** What was read last. */
  #total: number;
  #enabled = false;
  #ended = false;
  /** An event was read before anybody wanted it. */
  #kept = false;

  /** @throws DeviceError `unsupported` when the kernel driver has no interrupt, `gone` when the device left. */
  constructor(parts: UioLineParts) {
    this.trigger = parts.trigger;
    this.#parts = parts;
    this.#total = parts.total;
    try {
      this.#take();
    } catch (error) {
      if (errnoOf(error) !== 'EIO') throw error;
      throw new DeviceError(
        'unsupported',
        `${parts.name}: its kernel driver was registered without an interrupt (a read of the node says EIO): poll the device, or set "trigger: none"`,
        { cause: error },
      );
    }
  }

  listen(sink: InterruptSink): void {
    this.#sink = sink;
  }

  /**
   * Unmasks also when nothing was masked here: the line may have fired before the node was opened, which nobody is told.
   * @throws DeviceError `permission` when the kernel does not let this process unmask it.
   */
  enable(): void {
    if (this.#ended) return;
    // A level that is still there fires again; what was counted of it meanwhile is old.
    if (this.trigger === 'level') this.#drain();
    this.#parts.control.set(true);
    this.#enabled = true;
    this.#watch ??= this.#parts.events.watch((event) => this.#happened(event));
    this.#watch.resume();
    if (this.#kept) setImmediate(() => this.#deliverKept());
  }

  disable(): void {
    this.#enabled = false;
    this.#watch?.pause();
    if (this.#ended) return;
    this.#orEnd(() => this.#parts.control.set(false));
  }

  rearm(): void {
    if (this.#ended) return;
    this.#orEnd(() => this.#parts.control.set(true));
  }

  /** Nothing more will come. */
  end(reason: string): void {
    if (this.#ended) return;
    this.close();
    this.#sink?.gone(reason);
  }

  /** Stops watching; the line stays as it is. */
  close(): void {
    this.#ended = true;
    this.#enabled = false;
    this.#watch?.close();
    this.#watch = undefined;
  }

  #happened(event: WatchEvent): void {
    if (!this.#enabled) return;
    let missed: number | undefined;
    try {
      missed = this.#take();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (missed !== undefined) this.#deliver(missed);
    if (event === 'error') this.#parts.lost('its UIO node reports an error: the device was unbound or removed');
  }

  /** Reads once. @returns how many events came before the last one, or `undefined` when there was none. */
  #take(): number | undefined {
    const total = this.#parts.events.read();
    if (total === undefined) return undefined;
    // Totals are 32 bits and wrap; a first read is an event also when sysfs knew of it already.
    const events = Math.max(1, (total - this.#total) >>> 0);
    this.#total = total;
    if (this.#sink === undefined) this.#kept = true;
    return events - 1;
  }

  #drain(): void {
    this.#kept = false;
    try {
      this.#take();
    } catch (error) {
      this.#fail(error);
    }
  }

  #deliverKept(): void {
    if (!this.#kept || !this.#enabled) return;
    this.#kept = false;
    this.#deliver(0);
  }

  #deliver(missed: number): void {
    // Nobody re-arms a message; where the kernel driver can mask it, it may have done so.
    if (this.trigger === 'message' && this.#parts.control.masks) this.rearm();
    this.#sink?.event(this.#parts.countsWhileMasked && missed > 0 ? missed : undefined);
  }

  /** Does what can fail when the device goes or the kernel closes the way; the source ends then, with the reason. */
  #orEnd(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { log, lost, name } = this.#parts;
    const message = error instanceof Error ? error.message : String(error);
    // Nothing is delivered from inside a call of the source.
    if (errnoOf(error) === 'EIO' || isDeviceError(error, 'gone')) {
      queueMicrotask(() => lost('its UIO node says EIO: the device was unbound or removed'));
      return;
    }
    log.error(`${name}: no more interrupts: ${message}`);
    queueMicrotask(() => this.end(message));
  }
}
