import type { BlockDevice } from '@ring3/core';
import { MemoryDisk } from '@ring3/core/testing';

/** A disk that answers when the test says so. */
export class HeldDisk implements BlockDevice {
  readonly info = new MemoryDisk().info;
  readonly held: { readonly what: string; readonly data: Uint8Array; done(): void }[] = [];
  #arrived: () => void = () => {};

  read(block: number, into: Uint8Array): Promise<void> {
    return this.#hold(`read ${block}`, into);
  }
  write(block: number, from: Uint8Array): Promise<void> {
    return this.#hold(`write ${block}`, from);
  }
  flush(): Promise<void> {
    return this.#hold('flush', new Uint8Array());
  }

  /** Resolves when so many requests are there. */
  async arrived(count: number): Promise<void> {
    while (this.held.length < count) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  #hold(what: string, data: Uint8Array): Promise<void> {
    const promise = new Promise<void>((done) => {
      this.held.push({ what, data, done });
    });
    this.#arrived();
    return promise;
  }
}
