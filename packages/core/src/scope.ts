import { DeviceError } from './device-error.ts';

/** Something that can be given back, now or after a wait. */
export type Release = () => void | Promise<void>;

/**
 * devres for drivers: what was acquired is released last-in, first-out, each step awaited, whatever failed.
 * Source: Linux, Documentation/driver-api/driver-model/devres.rst.
 */
export class Scope {
  readonly name: string;
  #releases: { readonly what: string; readonly release: Release }[] = [];
  #closing: Promise<void> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** Whether {@link close} was called. */
  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Remembers how to give something back.
   * @throws DeviceError `closed` when the scope is closing; the release is then run at once, so nothing leaks.
   */
  defer(what: string, release: Release): void {
    if (this.#closing === undefined) {
      this.#releases.push({ what, release });
      return;
    }
    this.#closing = this.#closing.then(release);
    throw new DeviceError('closed', `${this.name}: ${what} was acquired while the scope is closing; it is released at once`);
  }

  /** Remembers to close `resource`, and returns it. */
  use<T extends { close(): void | Promise<void> }>(what: string, resource: T): T {
    this.defer(what, () => resource.close());
    return resource;
  }

  /** A scope that closes with this one, at its place in the order, or earlier by itself. */
  child(name: string): Scope {
    const child = new Scope(`${this.name}/${name}`);
    this.defer(name, () => child.close());
    return child;
  }

  /**
   * Releases everything in reverse order; a second call waits for the first.
   * @throws AggregateError after the last step, when steps failed; no step is left out for it.
   */
  close(): Promise<void> {
    this.#closing ??= this.#releaseAll();
    return this.#closing;
  }

  async #releaseAll(): Promise<void> {
    const failures: Error[] = [];
    for (let step = this.#releases.pop(); step !== undefined; step = this.#releases.pop()) {
      try {
        await step.release();
      } catch (cause) {
        failures.push(new Error(`releasing ${step.what} failed: ${cause instanceof Error ? cause.message : cause}`, { cause }));
      }
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, `${this.name}: ${failures.map((failure) => failure.message).join('; ')}`);
    }
  }
}
