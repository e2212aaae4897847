import type { DeviceError } from '@ring3/core';
import type { Position } from './task-file.ts';

interface Job {
  run(): Promise<void>;
  refuse(error: DeviceError): void;
}

/** Two devices share a channel: one job at a time, the two taking turns when both have work. */
export class FairQueue {
  readonly #lanes: readonly [Job[], Job[]] = [[], []];
  #lastServed: Position = 1;
  #current: Promise<void> | undefined;
  #refusal: DeviceError | undefined;

  /** Runs `job` alone on the channel, after those of the same device that came before. */
  run<T>(position: Position, job: () => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      this.#lanes[position].push({ run: () => job().then(resolve, reject), refuse: reject });
      if (this.#current === undefined) this.#next();
    });
  }

  /** Refuses what is waiting and what comes; resolves when the current job has ended. */
  async close(refusal: DeviceError): Promise<void> {
    this.#refusal ??= refusal;
    for (const lane of this.#lanes) for (const job of lane.splice(0)) job.refuse(refusal);
    await this.#current;
  }

  #next(): void {
    const other: Position = this.#lastServed === 0 ? 1 : 0;
    const position = this.#lanes[other].length > 0 ? other : this.#lastServed;
    const job = this.#lanes[position].shift();
    this.#lastServed = position;
    this.#current = job?.run().finally(() => this.#next());
  }
}
