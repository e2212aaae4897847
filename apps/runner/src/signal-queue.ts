/** SIGHUP: the terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signals that ask to stop, one after the other; none is lost, however early it comes. Keeps the process alive. */
export class SignalQueue {
  #arrived = 0;
  #next: { readonly arrived: Promise<void>; readonly wake: () => void } | undefined;
  /** A listener for a signal does not keep a process alive, and a rig may have nothing else that does. */
  readonly #alive = setInterval(() => {}, 2 ** 30);
  readonly #listener = () => {
    if (this.#next === undefined) this.#arrived++;
    else this.#next.wake();
    this.#next = undefined;
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** Resolves when the next signal is there; who asks again before that waits for the same one. */
  next(): Promise<void> {
    if (this.#arrived > 0) {
      this.#arrived--;
      return Promise.resolve();
    }
    if (this.#next === undefined) {
      let wake = () => {};
      const arrived = new Promise<void>((resolve) => {
        wake = resolve;
      });
      this.#next = { arrived, wake };
    }
    return this.#next.arrived;
  }

  /** Signals do again what they do by default. */
  close(): void {
    clearInterval(this.#alive);
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
