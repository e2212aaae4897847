const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The signals that ask to stop, one after the other; none is lost, however early it comes. Keeps the process alive. */
export class SignalQueue {
  #arrived = 0;
  readonly #waiting: (() => void)[] = [];
  /** A listener for a signal does not keep a process alive, and a rig may have nothing else that does. */
  readonly #alive = setInterval(() => {}, 2 ** 30);
  readonly #listener = () => {
    const wake = this.#waiting.shift();
    if (wake === undefined) this.#arrived++;
    else wake();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  /** Resolves when the next signal is there. */
  next(): Promise<void> {
    if (this.#arrived === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#arrived--;
    return Promise.resolve();
  }

  /** Signals do again what they do by default. */
  close(): void {
    clearInterval(this.#alive);
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }
}
