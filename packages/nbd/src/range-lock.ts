/** A hold on some blocks, or the wait for it; give it back with {@link RangeLock.release}. */
export interface RangeTicket {
  readonly first: number;
  readonly last: number;
  readonly exclusive: boolean;
  /** Undefined when the blocks are held already. */
  granted: Promise<void> | undefined;
  grant: (() => void) | undefined;
}

/**
 * Keeps the read-modify-write of a partial block apart from every other write to that block. Whole-block writes share
 * (the device orders them); a read-modify-write is alone. First come, first served, so nobody starves.
 */
export class RangeLock {
  /** Held and awaited, in order of arrival. */
  readonly #tickets: RangeTicket[] = [];
  #exclusive = 0;

  /** Asks for the blocks `first` to `last`; wait for `granted` if there is one. */
  acquire(first: number, last: number, exclusive: boolean): RangeTicket {
    const ticket: RangeTicket = { first, last, exclusive, granted: undefined, grant: undefined };
    if (exclusive) this.#exclusive += 1;
    if (this.#exclusive > 0 && this.#isBlocked(ticket, this.#tickets.length)) {
      ticket.granted = new Promise((resolve) => {
        ticket.grant = resolve;
      });
    }
    this.#tickets.push(ticket);
    return ticket;
  }

  /** Gives the blocks back and wakes those that waited for them. */
  release(ticket: RangeTicket): void {
    this.#tickets.splice(this.#tickets.indexOf(ticket), 1);
    if (this.#exclusive === 0) return;
    if (ticket.exclusive) this.#exclusive -= 1;
    for (const [index, waiting] of this.#tickets.entries()) {
      if (waiting.grant === undefined || this.#isBlocked(waiting, index)) continue;
      waiting.grant();
      waiting.grant = undefined;
    }
  }

  /** Whether one of the first `count` tickets stands in the way. */
  #isBlocked(ticket: RangeTicket, count: number): boolean {
    for (let index = 0; index < count; index += 1) {
      const other = this.#tickets[index];
      if (other === undefined || (!other.exclusive && !ticket.exclusive)) continue;
      if (other.first <= ticket.last && ticket.first <= other.last) return true;
    }
    return false;
  }
}
