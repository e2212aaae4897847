import type { RealHandle, RealTime } from './real-time.ts';

/** Real timeouts are no more exact than this. */
const GRANULARITY_MS = 1;

/**
 * What wakes the simulator: one immediate and one timeout of the real world, each pending at most once however
 * many events there are.
 */
export class Pump {
  readonly #real: RealTime;
  readonly #turn: () => void;
  readonly #woken: () => void;
  #soon: RealHandle | undefined;
  #later: RealHandle | undefined;
  #laterAtMs = 0;
  #keepAlive = true;

  /**
   * @param turn is called after {@link soon}.
   * @param woken is called after {@link later}, possibly too early.
   */
  constructor(real: RealTime, turn: () => void, woken: () => void) {
    this.#real = real;
    this.#turn = () => {
      this.#soon = undefined;
      turn();
    };
    this.#woken = () => {
      this.#later = undefined;
      woken();
    };
  }

  nowMs(): number {
    return this.#real.nowMs();
  }

  /** Asks for a turn of the event loop. */
  soon(): void {
    if (this.#soon !== undefined) return;
    this.#soon = this.#real.soon(this.#turn);
    if (!this.#keepAlive) this.#soon.unref();
  }

  /** Asks to be woken; a timeout that fires earlier anyway, or hardly later, is left alone, whoever it was for. */
  later(delayMs: number): void {
    const atMs = this.#real.nowMs() + delayMs;
    if (this.#later !== undefined) {
      if (this.#laterAtMs <= atMs + GRANULARITY_MS) return;
      this.#real.stop(this.#later);
    }
    this.#laterAtMs = atMs;
    this.#later = this.#real.later(this.#woken, Math.min(delayMs, 2 ** 31 - 1));
    if (!this.#keepAlive) this.#later.unref();
  }

  /** Whether what is pending keeps the process alive. */
  keepAlive(on: boolean): void {
    if (on === this.#keepAlive) return;
    this.#keepAlive = on;
    for (const handle of [this.#soon, this.#later]) {
      if (on) handle?.ref();
      else handle?.unref();
    }
  }

  /** Resolves after a turn of the event loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#real.soon(resolve);
    });
  }

  /** Throws from the event loop itself, so that nobody can swallow it: an uncaught exception. */
  throwUncaught(error: unknown): void {
    this.#real.soon(() => {
      throw error;
    });
  }

  close(): void {
    if (this.#later !== undefined) this.#real.stop(this.#later);
    this.#later = undefined;
    this.keepAlive(false);
  }
}
