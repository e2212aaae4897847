import { EventHeap, isBefore, ScheduledEvent } from './event-heap.ts';

/** Whose event it is: those of devices may also happen while an access of the program takes its time. */
export type EventKind = 'device' | 'program';

/** Everything that is scheduled, of both kinds, in one order. */
export class EventQueue {
  readonly #ofDevices = new EventHeap();
  readonly #ofProgram = new EventHeap();
  readonly #withdrawn: () => void;
  #sequence = 0;

  /** @param withdrawn is called after an event was cancelled. */
  constructor(withdrawn: () => void) {
    this.#withdrawn = withdrawn;
  }

  get devices(): number {
    return this.#ofDevices.size;
  }

  get program(): number {
    return this.#ofProgram.size;
  }

  /** The event that happens next. */
  get next(): ScheduledEvent | undefined {
    const device = this.#ofDevices.first;
    const program = this.#ofProgram.first;
    if (device === undefined || program === undefined) return device ?? program;
    return isBefore(device, program) ? device : program;
  }

  /** The event of a device that happens next. */
  get nextOfDevices(): ScheduledEvent | undefined {
    return this.#ofDevices.first;
  }

  add(kind: EventKind, atNs: number, callback: () => void): ScheduledEvent {
    const event = new ScheduledEvent(atNs, this.#sequence++, callback, this);
    if (kind === 'device') this.#ofDevices.add(event);
    else this.#ofProgram.add(event);
    return event;
  }

  /** Takes an event out because it happens. @returns whose it was. */
  take(event: ScheduledEvent): EventKind {
    if (this.#ofDevices.remove(event)) return 'device';
    this.#ofProgram.remove(event);
    return 'program';
  }

  /** Called by an event that is cancelled. */
  withdraw(event: ScheduledEvent): void {
    this.take(event);
    this.#withdrawn();
  }

  clear(): void {
    this.#ofDevices.clear();
    this.#ofProgram.clear();
  }
}
