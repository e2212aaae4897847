/** Lets jobs run one after the other: the transfers of two channels that may not be active at the same time. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `job` when those that came before have ended. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(job);
    this.#last = mine.catch(() => {});
    return mine;
  }
}
