import type { Socket } from 'node:net';
import { takeOverSocket } from './take-over-socket.ts';

/** Small messages are received many at a time. */
const CHUNK_BYTES = 2 ** 16;
/** From this size on, what is wanted is received where it is wanted, without a copy. */
const DIRECT_BYTES = 2 ** 14;

/**
 * The bytes of a connection, cut into the lengths that the protocol asks for. While nobody wants anything nothing is
 * received: that is the backpressure towards the client.
 */
export class SocketReader {
  /** The connection, to be used instead of the one that was accepted. */
  readonly socket: Socket;
  readonly #ownBuffers: boolean;
  /** Where small messages are received. */
  readonly #arena = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  /** The target that bytes are being received into directly. */
  #direct: Uint8Array | undefined;
  /** What was received and not consumed yet: its bytes from `#from` to `#to`. No view is made for each message. */
  #rest: Buffer = this.#arena;
  #from = 0;
  #to = 0;
  #target: Uint8Array | undefined;
  #missing = 0;
  #then: (() => void) | undefined;
  #pumping = false;
  #paused = false;

  /** Takes over a connection that was accepted and not read from (`pauseOnConnect`). */
  constructor(accepted: Socket, takeOver = takeOverSocket) {
    const taken = takeOver(accepted, {
      buffer: () => this.#offer(),
      callback: (lengthBytes) => {
        this.#filled(lengthBytes);
        return true; // To pause is #pause's business.
      },
    });
    this.#ownBuffers = taken !== undefined;
    this.socket = taken ?? accepted;
    if (taken === undefined) accepted.on('data', (chunk: Buffer) => this.#arrived(chunk, chunk.length)).resume();
  }

  /** Calls `then` when the next bytes have filled `target`: from inside this call if they are here already. */
  fill(target: Uint8Array, then: () => void): void {
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

  /** From now on everything is received and thrown away, so that the end of the connection is seen. */
  discard(): void {
    this.skip(Number.POSITIVE_INFINITY, () => {});
  }

  #want(target: Uint8Array | undefined, lengthBytes: number, then: () => void): void {
    this.#target = target;
    this.#missing = lengthBytes;
    this.#then = then;
    this.#pump();
  }

  /** Node asks where the next bytes go. */
  #offer(): Uint8Array {
    const direct = this.#from === this.#to && this.#missing >= DIRECT_BYTES ? this.#target : undefined;
    this.#direct = direct;
    return direct === undefined ? this.#arena : direct.subarray(direct.length - this.#missing);
  }

  /** Node has put bytes where {@link #offer} said. */
  #filled(lengthBytes: number): void {
    if (this.#direct === undefined) this.#arrived(this.#arena, lengthBytes);
    else if (this.#direct === this.#target) {
      this.#missing -= lengthBytes;
      this.#pump();
    }
  }

  #arrived(chunk: Buffer, lengthBytes: number): void {
    if (this.#from < this.#to) this.socket.destroy(new Error('bytes were received that nobody had asked for'));
    this.#rest = chunk;
    this.#from = 0;
    this.#to = lengthBytes;
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
    this.#pause(this.#then === undefined);
  }

  /** Takes what is here of what is wanted; says whether that was all of it. */
  #consume(): boolean {
    const taken = Math.min(this.#missing, this.#to - this.#from);
    if (taken > 0) {
      const target = this.#target;
      if (target !== undefined) this.#rest.copy(target, target.length - this.#missing, this.#from, this.#from + taken);
      this.#from += taken;
      this.#missing -= taken;
    }
    return this.#missing === 0;
  }

  /** With own buffers resume() is not for us: it would start to receive once more on a later tick, paused or not. */
  #pause(paused: boolean): void {
    if (this.#paused === paused) return;
    this.#paused = paused;
    if (paused) this.socket.pause();
    else if (this.#ownBuffers) this.socket.read(0);
    else this.socket.resume();
  }
}
