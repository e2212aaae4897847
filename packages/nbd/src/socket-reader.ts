import type { Socket } from 'node:net';

const NOTHING = Buffer.alloc(0);

/**
 * The bytes of a socket, cut into the lengths that the protocol asks for, each copied once, straight to where it is
 * wanted. While nobody wants anything the socket is paused: that is the backpressure towards the client.
 */
export class SocketReader {
  readonly #socket: Socket;
  #chunk: Buffer = NOTHING;
  #position = 0;
  #target: Buffer | undefined;
  #missing = 0;
  #then: (() => void) | undefined;
  #pumping = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#accept(chunk));
  }

  /** Calls `then` when the next bytes have filled `target`: from inside this call if they are here already. */
  fill(target: Buffer, then: () => void): void {
    this.#want(target, target.length, then);
  }

  /** Calls `then` when the next `lengthBytes` have passed by. */
  skip(lengthBytes: number, then: () => void): void {
    this.#want(undefined, lengthBytes, then);
  }

  /** The next `lengthBytes`. The promise stays pending for ever when the client goes first. */
  read(lengthBytes: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(lengthBytes);
    return new Promise((resolve) => {
      this.fill(target, () => resolve(target));
    });
  }

  /** From now on everything is read and thrown away, so that the end of the connection is seen. */
  discard(): void {
    this.skip(Number.POSITIVE_INFINITY, () => {});
  }

  #want(target: Buffer | undefined, lengthBytes: number, then: () => void): void {
    this.#target = target;
    this.#missing = lengthBytes;
    this.#then = then;
    this.#pump();
  }

  #accept(chunk: Buffer): void {
    const rest = this.#chunk.length - this.#position;
    this.#chunk = rest === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#position), chunk]);
    this.#position = 0;
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping) return; // A `then` asks for more: the loop below goes on with it.
    this.#pumping = true;
    while (this.#then !== undefined && this.#consume()) {
      const then = this.#then;
      this.#then = undefined;
      then();
    }
    this.#pumping = false;
    if (this.#then === undefined) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#position === this.#chunk.length) [this.#chunk, this.#position] = [NOTHING, 0];
  }

  /** Takes what is here of what is wanted; says whether that was all of it. */
  #consume(): boolean {
    const taken = Math.min(this.#missing, this.#chunk.length - this.#position);
    if (this.#target !== undefined && taken > 0) {
      this.#chunk.copy(this.#target, this.#target.length - this.#missing, this.#position, this.#position + taken);
    }
    this.#position += taken;
    this.#missing -= taken;
    return this.#missing === 0;
  }
}
