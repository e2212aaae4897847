interface Range {
  readonly start: number;
  readonly end: number;
  readonly left: Promise<void>;
}

/** Lets overlapping ranges in one after the other; those that do not overlap never wait. */
export class RangeQueue {
  readonly #inside = new Set<Range>();

  /**
   * Enters as soon as nobody is inside `start` to `end` (exclusive).
   * @returns how to leave, at once where nobody is in the way: no turn of the event loop is lost.
   */
  enter(start: number, end: number): (() => void) | Promise<() => void> {
    const before = this.#overlapping(start, end);
    return before === undefined ? this.#admit(start, end) : this.#enterAfter(before, start, end);
  }

  async #enterAfter(first: Range, start: number, end: number): Promise<() => void> {
    for (let before: Range | undefined = first; before !== undefined; before = this.#overlapping(start, end)) {
      await before.left;
    }
    return this.#admit(start, end);
  }

  #overlapping(start: number, end: number): Range | undefined {
    for (const range of this.#inside) if (range.start < end && start < range.end) return range;
    return undefined;
  }

  #admit(start: number, end: number): () => void {
    let leave: () => void = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const range: Range = { start, end, left };
    this.#inside.add(range);
    return () => {
      this.#inside.delete(range);
      leave();
    };
  }
}
