interface Range {
  readonly start: number;
  readonly end: number;
  readonly left: Promise<void>;
}

/**
 * Lets overlapping ranges in one after the other, in the order in which they came, so that nobody starves; those that
 * do not overlap never wait.
 */
export class RangeQueue {
  /** Inside or waiting, in the order of arrival. */
  readonly #ranges = new Set<Range>();

  /**
   * Enters as soon as nobody is inside `start` to `end` (exclusive), and nobody who came before waits for a part of it.
   * @returns how to leave, at once where nobody is in the way: no turn of the event loop is lost.
   */
  enter(start: number, end: number): (() => void) | Promise<() => void> {
    const before: Promise<void>[] = [];
    for (const range of this.#ranges) if (range.start < end && start < range.end) before.push(range.left);
    const leave = this.#add(start, end);
    return before.length === 0 ? leave : Promise.all(before).then(() => leave);
  }

  #add(start: number, end: number): () => void {
    let tell: () => void = () => {};
    const left = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const range: Range = { start, end, left };
    this.#ranges.add(range);
    return () => {
      this.#ranges.delete(range);
      tell();
    };
  }
}
