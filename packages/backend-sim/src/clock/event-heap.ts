import type { Timer } from '@ring3/core';

/** Who is told when an event is called off. */
interface Owner {
  withdraw(event: ScheduledEvent): void;
}

/** Something that will happen; also the handle by which it is called off. */
export class ScheduledEvent implements Timer {
  readonly atNs: number;
  /** The order of scheduling: decides between events of the same time. */
  readonly sequence: number;
  readonly callback: () => void;
  /** Its place in the heap; -1 when it is in none. */
  index = -1;
  readonly #owner: Owner;

  constructor(atNs: number, sequence: number, callback: () => void, owner: Owner) {
    this.atNs = atNs;
    this.sequence = sequence;
    this.callback = callback;
    this.#owner = owner;
  }

  cancel(): void {
    if (this.index >= 0) this.#owner.withdraw(this);
  }
}

/** Whether `a` happens before `b`. */
export function isBefore(a: ScheduledEvent, b: ScheduledEvent): boolean {
  return a.atNs < b.atNs || (a.atNs === b.atNs && a.sequence < b.sequence);
}

/** A binary heap of events; removes from the middle too, since most deadlines are called off. */
export class EventHeap {
  readonly #events: ScheduledEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  /** The event that happens first. */
  get first(): ScheduledEvent | undefined {
    return this.#events[0];
  }

  add(event: ScheduledEvent): void {
    this.#events.push(event);
    this.#rise(event, this.#events.length - 1);
  }

  /** @returns whether the event was in this heap. */
  remove(event: ScheduledEvent): boolean {
    const { index } = event;
    if (index < 0 || this.#events[index] !== event) return false;
    event.index = -1;
    const last = this.#events.pop();
    if (last === undefined || last === event) return true;
    const parent = this.#events[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && isBefore(last, parent)) this.#rise(last, index);
    else this.#sink(last, index);
    return true;
  }

  clear(): void {
    for (const event of this.#events) event.index = -1;
    this.#events.length = 0;
  }

  #rise(event: ScheduledEvent, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#events[parentIndex];
      if (parent === undefined || !isBefore(event, parent)) break;
      this.#put(parent, index);
      index = parentIndex;
    }
    this.#put(event, index);
  }

  #sink(event: ScheduledEvent, from: number): void {
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#events[childIndex];
      const right = this.#events[childIndex + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex++;
      }
      if (child === undefined || !isBefore(child, event)) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(event, index);
  }

  #put(event: ScheduledEvent, index: number): void {
    this.#events[index] = event;
    event.index = index;
  }
}
