import { isDeviceError, type Logger, type SerialPort } from '@ring3/core';

/** A client as a stream of bytes. */
export interface ByteEnd {
  /** Gives chunks to `take`, the next one only when the promise of the one before has settled: that is the back-pressure. */
  start(take: (chunk: Uint8Array) => Promise<void>): void;
  /** Gives no more chunks. */
  pause(): void;
  /** Resolves when the client, or its system, has taken all of it. @throws when the client is gone. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the connection. */
  close(): void;
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
}

/** What an export counts. */
export interface SerialCounts {
  clients: number;
  /** Of these, how many are there now. */
  connected: number;
  toClients: number;
  fromClients: number;
  /** Bytes of clients that were taken and perhaps not sent. */
  lost: number;
}

const BUFFER_BYTES = 16 * 1024;

/** One client on the line: what it sends is written to the port, what the port receives is sent to it. */
export class Conversation {
  /** Resolves when the client is gone and what it gave was written. */
  readonly over: Promise<void>;
  readonly #port: SerialPort;
  readonly #end: ByteEnd;
  readonly #counts: SerialCounts;
  readonly #log: Logger;
  readonly #ending = new AbortController();
  readonly #dropping = new AbortController();
  #writing: Promise<void> | undefined;

  constructor(port: SerialPort, end: ByteEnd, counts: SerialCounts, log: Logger) {
    this.#port = port;
    this.#end = end;
    this.#counts = counts;
    this.#log = log;
    counts.clients++;
    counts.connected++;
    end.start((chunk) => {
      this.#writing = this.#write(chunk).finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    });
    void end.closed.then(() => this.#ending.abort());
    this.over = this.#receive()
      .then(() => this.#writing)
      .finally(() => counts.connected--);
  }

  /** Takes nothing more from the client; resolves when the device has sent what was taken. */
  async finish(): Promise<void> {
    this.#end.pause();
    await this.#writing;
    await this.#port.drain({ signal: this.#ending.signal }).catch(() => {});
  }

  /** Cuts it off, and drops what was not written yet. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#dropping.abort();
    this.#end.close();
    await this.over;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    this.#counts.fromClients += chunk.length;
    const { signal } = this.#dropping;
    try {
      await this.#port.write(chunk, { signal });
    } catch (error) {
      const written = isDeviceError(error) ? error.details['written'] : 0;
      const lost = chunk.length - (typeof written === 'number' ? written : 0);
      this.#counts.lost += lost;
      const why = signal.aborted ? 'it was cut off' : error instanceof Error ? error.message : error;
      this.#log.warn(`up to ${lost} bytes of a client are lost: ${why}`);
    }
  }

  async #receive(): Promise<void> {
    const { signal } = this.#ending;
    const buffer = new Uint8Array(BUFFER_BYTES);
    try {
      for (;;) {
        const count = await this.#port.read(buffer, { signal });
        await this.#end.send(buffer.slice(0, count));
        this.#counts.toClients += count;
      }
    } catch (error) {
      if (!signal.aborted) this.#log.debug(`a client is cut off: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.#ending.abort();
      this.#end.close();
    }
  }
}
