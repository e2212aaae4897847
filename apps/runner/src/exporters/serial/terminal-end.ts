import { readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { PseudoTerminal, Watch, watchReadable } from '@ring3/linux';
import type { ByteEnd } from './conversation.ts';

/** How often it is tried again when nobody reads at the terminal and the kernel has no room left. */
const RETRY_MS = 10;
const CHUNK_BYTES = 4096;

/** A pseudo terminal: whoever opens its path is the client; nobody can tell when that is. */
export class TerminalEnd implements ByteEnd {
  readonly closed: Promise<void>;
  readonly #terminal: PseudoTerminal;
  readonly #watch: typeof watchReadable;
  #watching: Watch | undefined;
  #paused = false;
  #open = true;
  #resolveClosed: () => void = () => {};

  constructor(terminal: PseudoTerminal, watch: typeof watchReadable) {
    this.#terminal = terminal;
    this.#watch = watch;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  start(take: (chunk: Uint8Array) => Promise<void>): void {
    const buffer = new Uint8Array(CHUNK_BYTES);
    this.#watching = this.#watch(this.#terminal.master, () => {
      const count = this.#try(() => readSync(this.#terminal.master, buffer)) ?? 0;
      if (count === 0) return;
      this.#watching?.pause();
      void take(buffer.subarray(0, count)).then(() => {
        if (!this.#paused && this.#open) this.#watching?.resume();
      });
    });
  }

  pause(): void {
    this.#paused = true;
    this.#watching?.pause();
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (!this.#open) throw new Error('the pseudo terminal was closed');
      const taken = this.#try(() => writeSync(this.#terminal.master, bytes, at)) ?? 0;
      at += taken;
      if (taken === 0) await delay(RETRY_MS);
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#watching?.close();
    this.#terminal.close();
    this.#resolveClosed();
  }

  /** @returns `undefined` when it would have to wait. */
  #try(call: () => number): number | undefined {
    try {
      return call();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }
}
