import type { Socket } from 'node:net';
import type { ByteEnd } from './conversation.ts';

/** A client at a Unix socket. */
export class SocketEnd implements ByteEnd {
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  #paused = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.pause();
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
    socket.on('error', () => {}); // 'close' follows.
  }

  start(take: (chunk: Uint8Array) => Promise<void>): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#socket.pause();
      void take(chunk).then(() => {
        if (!this.#paused) this.#socket.resume();
      });
    });
    this.#socket.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    this.#socket.destroySoon();
    this.#socket.resume(); // Else the end of the other side is never seen.
  }
}
