import type { Socket } from 'node:net';
import type { Clock, Logger, Timer } from '@ring3/core';
import type { BufferPool } from './buffer-pool.ts';
import type { ExportedDisk } from './exported-disk.ts';
import { type Agreement, type ExportDirectory, Handshake } from './handshake.ts';
import type { NbdLimits } from './limits.ts';
import { ReplyWriter } from './reply-writer.ts';
import { Responder } from './responder.ts';
import { SocketReader } from './socket-reader.ts';
import { Transmission } from './transmission.ts';

/** How long a client that was sent everything may take to hang up by itself. */
const LINGER_US = 250_000;

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly exports: ExportDirectory;
  readonly pool: BufferPool;
  readonly limits: NbdLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends an export and disconnects its clients. */
  readonly withdraw: (disk: ExportedDisk, reason: string) => void;
}

/** One client, from the greeting to the end. Whatever it does, nobody else notices. */
export class Connection {
  /** Resolves when the socket is closed and everything it held is given back. */
  readonly closed: Promise<void>;
  readonly #id: number;
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #reader: SocketReader;
  readonly #writer: ReplyWriter;
  #timer: Timer | undefined;
  #draining: string | undefined;
  #disk: ExportedDisk | undefined;
  #transmission: Transmission | undefined;
  #responder: Responder | undefined;

  /** Takes over a connection that was accepted and not read from (`pauseOnConnect`). */
  constructor(id: number, accepted: Socket, context: ConnectionContext) {
    this.#id = id;
    this.#context = context;
    this.#reader = new SocketReader(accepted);
    const { socket } = this.#reader;
    this.#socket = socket;
    this.#writer = new ReplyWriter(socket);
    this.#after(context.limits.handshakeMs * 1000, () => this.cut('it did not finish the handshake'));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#timer?.cancel();
        context.log.debug(`${this.name}: disconnected`);
        resolve();
      });
    });
    // EPIPE and ECONNRESET are how clients leave; 'close' follows.
    socket.on('error', (error) => context.log.debug(`${this.name}: ${error.message}`));
    socket.once('end', () => this.#ended());
    void this.#run();
  }

  /** `client 3 of disk0`. */
  get name(): string {
    return this.#disk === undefined ? `client ${this.#id}` : `client ${this.#id} of ${this.#disk.name}`;
  }

  /** What was chosen in the handshake. */
  get disk(): ExportedDisk | undefined {
    return this.#disk;
  }

  /** Requests that are not answered yet, and the memory that they hold. */
  get load(): { readonly requests: number; readonly bytes: number } {
    return { requests: this.#transmission?.requests ?? 0, bytes: this.#transmission?.heldBytes ?? 0 };
  }

  /** What keeps this connection from ending, in words. */
  get waitsFor(): string {
    const oldest = this.#transmission?.oldest;
    return `${this.name}: ${oldest ?? `to take ${this.#socket.writableLength} bytes of replies and to hang up`}`;
  }

  /**
   * Answers what was asked and hangs up (proto.md, "Terminating the transmission phase"); see {@link closed}. Who is
   * still in the handshake gets a moment to be told.
   */
  drain(reason: string): void {
    this.#draining ??= reason;
    if (this.#transmission !== undefined) this.#transmission.drain(reason);
    else this.#after(LINGER_US, () => this.#hangUp());
  }

  /** Disconnects at once. */
  cut(reason: string): void {
    this.#context.log.warn(`${this.name}: disconnected: ${reason}`);
    this.#socket.destroy();
  }

  async #run(): Promise<void> {
    try {
      const agreement = await new Handshake(this.#reader, this.#writer, this.#context.exports).run();
      this.#timer?.cancel();
      if (agreement === undefined) this.#hangUp();
      else if (this.#socket.writable) this.#transmit(agreement);
    } catch (error) {
      this.cut(error instanceof Error ? error.message : String(error));
    }
  }

  #transmit(agreement: Agreement): void {
    const { disk, structuredReplies } = agreement;
    const { pool, limits, clock, log, withdraw } = this.#context;
    const { chunkBytes } = limits;
    this.#disk = disk;
    log.debug(`${this.name}: connected`, { structuredReplies });
    const responder = new Responder({ disk, structuredReplies, writer: this.#writer, pool, chunkBytes, log });
    this.#responder = responder;
    const violated = (error: Error): void => this.cut(error.message);
    const changed = (reason: string): void => withdraw(disk, reason);
    const reader = this.#reader;
    const transmission = new Transmission({ agreement, reader, responder, pool, limits, clock, violated, changed });
    this.#transmission = transmission;
    this.#socket.once('close', () => responder.abandon());
    void transmission.ended.then(() => this.#hangUp());
    const draining = this.#draining ?? disk.withdrawn;
    if (draining !== undefined) transmission.drain(draining);
    transmission.start();
  }

  /**
   * The client has closed its side. What it asked for is still answered, in case it only closed that one; but who has
   * not taken leave with DISC may be dead, and gigabytes of zeros are not written for the dead.
   */
  #ended(): void {
    if (this.#transmission === undefined) this.#hangUp();
    else {
      if (!this.#transmission.tookLeave) this.#responder?.stopLong('the client has closed its side of the connection');
      this.#transmission.finish();
    }
  }

  /** Sends what is left, then the end, and gives the client a moment to do the same. */
  #hangUp(): void {
    this.#timer?.cancel();
    this.#reader.discard();
    this.#writer.end(() => this.#after(LINGER_US, () => this.#socket.destroy()));
  }

  /** Replaces the one thing that this connection does by itself after some time. */
  #after(delayUs: number, action: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#socket.closed ? undefined : this.#context.clock.after(delayUs, action);
  }
}
