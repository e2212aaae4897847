import { DeviceError } from './device-error.ts';

/** Something that can be given back, now or after a wait. */
export type Release = () => void | Promise<void>;

interface Step {
  readonly what: string;
  readonly release: Release;
}

/**
 * devres for drivers: what was acquired is released last-in, first-out, each step awaited, whatever failed.
 * Source: Linux, Documentation/driver-api/driver-model/devres.rst.
 */
export class Scope {
  readonly name: string;
  readonly #steps: Step[] = [];
  #closing: Promise<void> | undefined;
  /** Tells the parent that there is nothing left to close. */
  #closed: () => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Remembers how to give something back.
   * @throws DeviceError `closed` when the scope is closing; the release is run all the same, so nothing leaks, and
   *   whoever waits for {@link close} hears when it fails.
   */
  defer(what: string, release: Release): void {
    this.#steps.push({ what, release });
    if (this.#closing === undefined) return;
    const before = this.#closing;
    this.#closing = before.then(
      () => this.#releaseAll([]),
      (cause: unknown) => this.#releaseAll(cause instanceof AggregateError ? cause.errors : [cause]),
    );
    this.#closing.catch(() => {});
    throw new DeviceError(
      'closed',
      `${this.name}: ${what} was acquired while the scope is closing; it is released at once`,
    );
  }

  /** Remembers to close `resource`, and returns it. */
  use<T extends { close(): void | Promise<void> }>(what: string, resource: T): T {
    this.defer(what, () => resource.close());
    return resource;
  }

  /** A scope that closes with this one, at its place in the order, or earlier by itself. */
  child(name: string): Scope {
    const child = new Scope(`${this.name}/${name}`);
    const release = () => child.close();
    this.defer(name, release);
    child.#closed = () => {
      const index = this.#steps.findIndex((step) => step.release === release);
      if (index >= 0) this.#steps.splice(index, 1);
    };
    return child;
  }

  /**
   * Releases everything in reverse order; a second call waits for the first. Not to be awaited by a release of the same
   * scope, which would wait for itself.
   * @throws AggregateError after the last step, when steps failed; no step is left out for it.
   */
  close(): Promise<void> {
    // Not before the next turn: the first release finds the scope closing already.
    this.#closing ??= Promise.resolve().then(() => this.#releaseAll([]));
    return this.#closing;
  }

  async #releaseAll(failures: unknown[]): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.release();
      } catch (cause) {
        failures.push(new Error(`releasing ${step.what} failed: ${messageOf(cause)}`, { cause }));
      }
    }
    this.#closed();
    if (failures.length > 0) throw new AggregateError(failures, `${this.name}: ${failures.map(messageOf).join('; ')}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
