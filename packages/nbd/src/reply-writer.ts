import type { Socket } from 'node:net';

/** Sends messages; those of one turn of the event loop leave in one system call. */
export class ReplyWriter {
  readonly #socket: Socket;
  #corked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Sends a message. `sent` is called when the kernel has taken it, and also when the connection has ended before: in
   * both cases the message's memory is free again.
   */
  send(message: Buffer, sent?: () => void): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(message, sent);
  }

  /** Resolves when the kernel has taken the message, or the connection has ended. */
  sendAll(messages: readonly Buffer[]): Promise<void> {
    return new Promise((resolve) => {
      this.send(Buffer.concat(messages), () => resolve());
    });
  }
}
