import type { Socket } from 'node:net';
import { encodeSimpleReply, type NbdRequest, SIMPLE_REPLY_BYTES, writeSimpleReply } from './transmission-messages.ts';

/** Messages up to this length are copied together: a copy costs less than a turn through a stream. */
const SMALL_BYTES = 2 ** 13;
/** What is copied together at most: sixteen replies with 4 KiB of data, and their headers. */
const BATCH_BYTES = 2 ** 16 + 2 ** 12;

type Sent = () => void;

/** Sends messages; those of one turn of the event loop leave in one system call. */
export class ReplyWriter {
  readonly #socket: Socket;
  /** Where small messages are put together; lent to the socket until that has sent them. */
  #batch: Buffer | undefined;
  #batchIsLent = false;
  #batchedBytes = 0;
  #batchSent: Sent[] = [];
  #corked = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Sends a message. `sent` is called when the kernel has taken it, and also when the connection has ended before: in
   * both cases the message's memory is free again.
   */
  send(message: Buffer, sent?: Sent): void {
    this.#cork();
    const batch = message.length <= SMALL_BYTES ? this.#roomFor(message.length) : undefined;
    if (batch === undefined) {
      this.#passBatchOn();
      this.#socket.write(message, sent);
    } else {
      batch.set(message, this.#batchedBytes);
      this.#took(message.length, sent);
    }
  }

  /** Sends a simple reply without data, as {@link send}. */
  sendSimpleReply(request: NbdRequest, errno: number, sent: Sent): void {
    this.#cork();
    const batch = this.#roomFor(SIMPLE_REPLY_BYTES);
    if (batch === undefined) this.#socket.write(encodeSimpleReply(request, errno), sent);
    else {
      writeSimpleReply(batch, this.#batchedBytes, request, errno);
      this.#took(SIMPLE_REPLY_BYTES, sent);
    }
  }

  /** Closes this side behind what was sent; `ended` is called when the kernel has taken all of it. */
  end(ended: () => void): void {
    this.#passBatchOn();
    this.#socket.end(ended);
  }

  /** Resolves when the kernel has taken the message, or the connection has ended. */
  sendAll(messages: readonly Buffer[]): Promise<void> {
    return new Promise((resolve) => {
      this.send(Buffer.concat(messages), () => resolve());
    });
  }

  /** The batch, if it is here and has room; one that is full is passed on. */
  #roomFor(lengthBytes: number): Buffer | undefined {
    if (this.#batchedBytes + lengthBytes > BATCH_BYTES) this.#passBatchOn();
    if (this.#batchIsLent) return undefined;
    this.#batch ??= Buffer.allocUnsafeSlow(BATCH_BYTES);
    return this.#batch;
  }

  #took(lengthBytes: number, sent: Sent | undefined): void {
    this.#batchedBytes += lengthBytes;
    if (sent !== undefined) this.#batchSent.push(sent);
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#passBatchOn();
      this.#socket.uncork();
    });
  }

  #passBatchOn(): void {
    if (this.#batch === undefined || this.#batchedBytes === 0) return;
    const all = this.#batchSent;
    this.#batchSent = [];
    this.#batchIsLent = true;
    const message = this.#batch.subarray(0, this.#batchedBytes);
    this.#batchedBytes = 0;
    this.#socket.write(message, () => {
      this.#batchIsLent = false;
      for (const sent of all) sent();
    });
  }
}
