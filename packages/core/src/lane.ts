/** Work that is done one after the other, in the order of arrival. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** Does `work` when all that came before has ended, well or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
