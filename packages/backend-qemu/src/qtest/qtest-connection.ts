import { closeSync } from 'node:fs';
import { DeviceError, duration } from '@ring3/core';
import {
  connectUnix,
  createReadinessOf,
  errnoOf,
  receiveWaiting,
  setSocketTimeout,
  type Watch,
  watchReadable,
} from '@ring3/linux';
import { AnswerReader } from './answer-reader.ts';
import { readSome, writeAll } from './blocking-socket.ts';

/**
 * How many commands are on their way at most. Each answer of QEMU is a message of its own in the socket; when some 250
 * wait, QEMU pauses, and a pause is longer than a round trip.
 */
export const BATCH = 128;

/** Who is not greeted by then is one too many. */
const LONGEST_GREETING_MS = 2000;

/** What a {@link QtestConnection} works with. */
export interface QtestOptions {
  readonly socket: string;
  /** The process, for messages. */
  readonly pid: number;
  /** A QEMU that does not answer as long is given up. */
  readonly answerTimeoutMs: number;
  /** An interrupt line of the intercepted controller changed. Called in the middle of an access: takes note only. */
  readonly irq: (line: number, level: boolean) => void;
}

/**
 * The door to QEMU's buses: line by line, each command answered before the next of another batch goes out, all of it
 * synchronous. When QEMU is gone nothing throws: `exchange` says false.
 */
export class QtestConnection {
  /** Resolves with the reason when QEMU is gone; never rejects. */
  readonly gone: Promise<string>;
  readonly #fd: number;
  readonly #readiness: number;
  readonly #watch: Watch;
  readonly #reader: AnswerReader;
  readonly #options: QtestOptions;
  /** Told of every access but those that are done {@link aside}. */
  onAccess: () => void = () => {};
  #resolveGone: (reason: string) => void = () => {};
  #state: 'open' | 'lost' | 'closed' = 'open';

  /** @throws DeviceError `gone` when there is no such QEMU any more, `busy` when somebody else talks to it. */
  constructor(options: QtestOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
    this.#reader = new AnswerReader(options.irq);
    this.#fd = connect(options);
    try {
      this.#greet();
      this.#readiness = createReadinessOf(this.#fd);
      this.#watch = watchReadable(this.#readiness, () => this.#lookUp());
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  get alive(): boolean {
    return this.#state === 'open';
  }

  /**
   * Sends commands, each with its line feed, and waits for their answers.
   * @param take is told the value of each answer, in two halves of 32 bits.
   * @returns false when QEMU is gone; the answers that had come were told.
   * @throws DeviceError `protocol` for a command that QEMU does not know: a defect of this package or of a board file.
   */
  exchange(commands: string | Buffer, count: number, take?: (low: number, high: number) => void): boolean {
    if (this.#state !== 'open') return false;
    this.onAccess();
    if (!this.#send(commands)) return false;
    for (let answered = 0; answered < count; answered++) {
      const answer = this.#receive();
      if (answer === undefined) return false;
      if (!answer.ok) throw this.#refused(commands, answered, this.#text(answer.start, answer.end));
      take?.(answer.low, answer.high);
    }
    this.#hearRest();
    return true;
  }

  /** Sends any number of commands in batches that fit the socket. */
  exchangeAll(commands: readonly string[], take?: (low: number, high: number) => void): boolean {
    for (let at = 0; at < commands.length; at += BATCH) {
      const batch = commands.slice(at, at + BATCH);
      if (!this.exchange(batch.join(''), batch.length, take)) return false;
    }
    return true;
  }

  /** Does accesses that are not the driver's. */
  aside<T>(accesses: () => T): T {
    const { onAccess } = this;
    this.onAccess = () => {};
    try {
      return accesses();
    } finally {
      this.onAccess = onAccess;
    }
  }

  /** One command whose answer is text. @throws DeviceError `gone`. */
  ask(command: string): string {
    const answer = this.#state === 'open' && this.#send(`${command}\n`) ? this.#receive() : undefined;
    if (answer === undefined) throw new DeviceError('gone', `qtest ${command}: QEMU is gone`);
    const text = this.#text(answer.start, answer.end);
    this.#hearRest();
    if (!answer.ok) throw new DeviceError('protocol', `qtest ${command}: QEMU says ${text}`);
    return text.slice(3);
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#watch.close();
    closeSync(this.#readiness);
    closeSync(this.#fd);
  }

  /** Without a greeting an access could be the first to find that nobody answers. */
  #greet(): void {
    try {
      writeAll(this.#fd, 'endianness\n');
      while (this.#reader.next() === undefined) {
        const bytes = readSome(this.#fd, this.#reader.room());
        if (bytes === 0) throw gone(this.#options);
        this.#reader.received(bytes);
      }
    } catch (error) {
      throw refusal(error, this.#options);
    }
    setSocketTimeout(this.#fd, this.#options.answerTimeoutMs);
  }

  #send(commands: string | Buffer): boolean {
    try {
      writeAll(this.#fd, commands);
      return true;
    } catch (error) {
      return this.#lose(error);
    }
  }

  #receive() {
    for (;;) {
      const answer = this.#reader.next();
      if (answer !== undefined) return answer;
      try {
        const bytes = readSome(this.#fd, this.#reader.room());
        if (bytes === 0) return void this.#lose(undefined);
        this.#reader.received(bytes);
      } catch (error) {
        return void this.#lose(error);
      }
    }
  }

  /** The event loop has seen something: interrupts while nobody asks, or the end. */
  #lookUp(): void {
    if (this.#state !== 'open') return;
    try {
      for (;;) {
        const bytes = receiveWaiting(this.#fd, this.#reader.room());
        if (bytes === undefined) return;
        if (bytes === 0) return void this.#lose(undefined);
        this.#reader.received(bytes);
        this.#hearRest();
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  /** What came behind the last answer was read with it: the socket will not say again that it is there. */
  #hearRest(): void {
    if (this.#reader.next() !== undefined) this.#lose(new Error('it answered what nobody asked'));
  }

  #lose(error: unknown): false {
    if (this.#state !== 'open') return false;
    this.#state = 'lost';
    this.#watch.pause();
    this.#resolveGone(this.#reason(error));
    return false;
  }

  #reason(error: unknown): string {
    const { answerTimeoutMs, pid } = this.#options;
    const errno = errnoOf(error);
    if (errno === 'EAGAIN') {
      return `QEMU (process ${pid}) has not answered for ${duration(answerTimeoutMs * 1000)}: was it stopped?`;
    }
    if (error === undefined || errno === 'EPIPE' || errno === 'ECONNRESET') return `QEMU (process ${pid}) ended`;
    return `QEMU (process ${pid}): ${error instanceof Error ? error.message : String(error)}`;
  }

  #refused(commands: string | Buffer, index: number, said: string): DeviceError {
    // What else was sent is answered too: without those answers the next access would have them.
    const line = String(commands).split('\n')[index] ?? '';
    this.#lose(new Error(`it refused "${line}"`));
    return new DeviceError('protocol', `qtest ${line}: QEMU says ${said}`);
  }

  #text(start: number, end: number): string {
    return this.#reader.buffer.toString('latin1', start, end);
  }
}

function connect(options: QtestOptions): number {
  try {
    return connectUnix(options.socket, Math.min(options.answerTimeoutMs, LONGEST_GREETING_MS));
  } catch (error) {
    throw refusal(error, options);
  }
}

/** What a failure before the end of the greeting means. */
function refusal(error: unknown, options: QtestOptions): unknown {
  switch (errnoOf(error)) {
    case 'EAGAIN':
      return busy(options);
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EPIPE':
      return gone(options, error);
    default:
      return error;
  }
}

function gone({ pid }: QtestOptions, cause?: unknown): DeviceError {
  return new DeviceError('gone', `QEMU (process ${pid}) ended`, { cause });
}

function busy({ pid }: QtestOptions): DeviceError {
  return new DeviceError(
    'busy',
    `QEMU (process ${pid}) does not answer: it talks to one process at a time, and either another one has it or it was stopped; two devices of one machine need isolation: inline`,
  );
}
