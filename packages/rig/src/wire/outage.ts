import { type Clock, DeviceError, type Timer } from '@ring3/core';

interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/**
 * Those who wait for something that is away, with one patience for all of them: it counts from the begin of the outage.
 * Some are to be let in before the others.
 */
export class Outage<T> {
  readonly #clock: Clock;
  readonly #patienceUs: number;
  #first: Waiter<T>[] = [];
  #others: Waiter<T>[] = [];
  #timer: Timer | undefined;
  #failure: DeviceError | undefined;
  #final = false;

  constructor(clock: Clock, patienceUs: number) {
    this.#clock = clock;
    this.#patienceUs = patienceUs;
  }

  get waiting(): number {
    return this.#first.length + this.#others.length;
  }

  /** Resolves when it is back. @throws DeviceError `gone` when patience has ended. */
  wait(first: boolean): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      (first ? this.#first : this.#others).push({ resolve, reject });
    });
  }

  /** It is away; goes on an outage that has begun already. */
  begin(words: () => string): void {
    if (this.#timer !== undefined || this.#final) return;
    this.#timer = this.#clock.after(this.#patienceUs, () => this.#fail(new DeviceError('gone', words())));
  }

  /** Those who wait to be first go on; the outage does too. */
  admitFirst(back: T): void {
    for (const { resolve } of this.#first.splice(0)) resolve(back);
  }

  /** It is back: all go on. */
  end(back: T): void {
    this.#stopTimer();
    this.#failure = undefined;
    this.admitFirst(back);
    for (const { resolve } of this.#others.splice(0)) resolve(back);
  }

  /** It never comes back. */
  endForever(failure: DeviceError): void {
    this.#stopTimer();
    this.#final = true;
    this.#fail(failure);
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #fail(failure: DeviceError): void {
    this.#failure = failure;
    for (const { reject } of [...this.#first.splice(0), ...this.#others.splice(0)]) reject(failure);
  }
}
