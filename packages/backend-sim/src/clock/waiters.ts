/** Promises that somebody drives the simulation for. */
export class Waiters {
  readonly #rejects = new Set<(error: unknown) => void>();

  get size(): number {
    return this.#rejects.size;
  }

  /**
   * Waits for a promise, or until {@link rejectAll} gives up on it.
   * @param settled is called when it settles by itself.
   */
  add<T>(promise: Promise<T>, settled: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#rejects.add(reject);
      const done = () => {
        this.#rejects.delete(reject);
        settled();
      };
      promise.finally(done).then(resolve, reject);
    });
  }

  /** @returns whether there was anybody to be told. */
  rejectAll(error: unknown): boolean {
    const rejects = [...this.#rejects];
    this.#rejects.clear();
    for (const reject of rejects) reject(error);
    return rejects.length > 0;
  }
}
