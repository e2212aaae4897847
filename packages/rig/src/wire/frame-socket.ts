import { connect, type Socket } from 'node:net';
import { isDeviceError } from '@ring3/core';
import { encodeFrameStart, FrameReader, type FrameSink } from './frame-reader.ts';

const RECEIVE_BYTES = 256 * 1024;
const DIED = 'the other process ended or closed the connection';
const DEATHS = new Set<string | undefined>(['ECONNRESET', 'EPIPE']);

/** Makes a {@link FrameSocket} tell its user what happens. */
export interface FrameHandler<Message> extends FrameSink<Message> {
  /** Once: nothing comes and goes any more. The message of `reason` is what people should read. */
  ended(reason: NodeJS.ErrnoException): void;
}

/** A stream socket that carries frames, with what is sent within one turn of the event loop put into one system call. */
export class FrameSocket<Message> {
  readonly #socket: Socket;
  readonly #reader: FrameReader<Message>;
  #corked = false;
  #reason: NodeJS.ErrnoException | undefined;

  /** Connects to a Unix socket; frames that are sent before the connection stands wait for it. */
  static connect<Message>(path: string, handler: FrameHandler<Message>): FrameSocket<Message> {
    // One large buffer used again and again: no allocation and fewer system calls than with 'data' events.
    const buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
    const callback = (bytes: number): boolean => {
      frames.#push(buffer.subarray(0, bytes));
      return true;
    };
    const frames = new FrameSocket(connect({ path, onread: { buffer, callback } }), handler);
    return frames;
  }

  /** Takes over a socket that a server accepted. */
  static accept<Message>(socket: Socket, handler: FrameHandler<Message>): FrameSocket<Message> {
    const frames = new FrameSocket(socket, handler);
    socket.on('data', (chunk: Buffer) => frames.#push(chunk));
    return frames;
  }

  private constructor(socket: Socket, handler: FrameHandler<Message>) {
    this.#socket = socket;
    this.#reader = new FrameReader(handler);
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(DEATHS.has(error.code) ? new Error(DIED) : error));
    socket.on('close', () => handler.ended(this.#end(new Error(DIED))));
  }

  /** Sends a frame; `sent` is called when the system has taken it, or when it never will. */
  send(message: object, payload?: Uint8Array, sent?: () => void): void {
    if (this.#reason !== undefined) {
      sent?.();
      return;
    }
    const start = encodeFrameStart(message, payload?.length ?? 0);
    this.#cork();
    if (payload === undefined || payload.length === 0) {
      this.#socket.write(start, sent);
    } else {
      this.#socket.write(start);
      this.#socket.write(payload, sent);
    }
  }

  /** Takes no more frames until {@link resume}; what was received already is still delivered. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Says why, sends what is queued and closes; nothing that comes in is looked at any more. */
  close(reason: Error): void {
    this.#sayBye(reason);
    this.#socket.destroySoon();
  }

  /** Says why if the system takes it at once, and closes: nothing that was queued is touched any more. */
  abort(reason: Error): void {
    this.#sayBye(reason);
    this.#socket.uncork();
    this.#socket.destroy();
  }

  /** Closes at once, without a word. */
  destroy(reason: Error): void {
    this.#end(reason);
    this.#socket.destroy();
  }

  #sayBye(reason: Error): void {
    this.send({ type: 'bye', reason: reason.message, code: isDeviceError(reason) ? reason.code : undefined });
    this.#end(reason);
    this.#socket.resume(); // Else the end of the other side is never seen.
  }

  #end(reason: Error): Error {
    this.#reason ??= reason;
    this.#reader.stop();
    return this.#reason;
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  #push(chunk: Buffer): void {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
