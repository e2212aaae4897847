import { statSync } from 'node:fs';

const AFTER_SUSPICION_MS = 100;

/** What exists as long as the device does, with the words for its absence. */
export interface PresenceFolder {
  readonly path: string;
  readonly words: string;
}

/** Identifies a folder of sysfs; a device that left and came back has another one. */
function identityOf(folder: string): bigint | undefined {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino;
}

/**
 * Notices that a device has left: looks at its folder now and then, at its configuration space when a register reads
 * all ones. Keeps no process alive.
 */
export class Presence {
  /** Resolves with the reason. */
  readonly gone: Promise<string>;
  readonly #folders: readonly (PresenceFolder & { readonly identity: bigint | undefined })[];
  readonly #answers: () => boolean;
  readonly #timer: NodeJS.Timeout;
  #resolve: (reason: string) => void = () => {};
  #lost = false;
  #suspected = false;
  #closed = false;

  /**
   * @param lookMs how often they are looked at.
   * @param answers whether the configuration space still does; asked on suspicion only.
   */
  constructor(folders: readonly PresenceFolder[], lookMs: number, answers: () => boolean) {
    this.gone = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#folders = folders.map(({ path, words }) => ({ path, words, identity: identityOf(path) }));
    this.#answers = answers;
    this.#timer = setInterval(() => this.look(), lookMs).unref();
  }

  /** Looks now. */
  look(): void {
    if (this.#lost || this.#closed) return;
    const missing = this.#folders.find(({ path, identity }) => identityOf(path) !== identity);
    if (missing !== undefined) this.lose(missing.words);
  }

  /** A register has read all ones: that alone means nothing. Cheap, since a FIFO may do so all day. */
  readonly suspect = (): void => {
    if (this.#suspected || this.#closed) return;
    this.#suspected = true;
    setImmediate(() => this.#confirm());
  };

  /** The device is gone; only the first reason counts. */
  lose(reason: string): void {
    if (this.#lost || this.#closed) return;
    this.#lost = true;
    clearInterval(this.#timer);
    this.#resolve(reason);
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #confirm(): void {
    this.look();
    if (this.#lost || this.#closed) return;
    if (!this.#answers()) {
      this.lose('it no longer answers: its registers and its configuration space read all ones');
      return;
    }
    setTimeout(() => {
      this.#suspected = false;
    }, AFTER_SUSPICION_MS).unref();
  }
}
