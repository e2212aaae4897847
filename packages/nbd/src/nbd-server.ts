import { createServer, type Server, type Socket } from 'node:net';
import { type BlockDevice, type Clock, DeviceError, type Logger, SILENT, SystemClock } from '@ring3/core';
import { BufferPool } from './buffer-pool.ts';
import { Connection } from './connection.ts';
import { type DrainOptions, drainConnections } from './drain-connections.ts';
import { ExportRegistry } from './export-registry.ts';
import { ExportedDisk, type ExportOptions, type ExportStatistics } from './exported-disk.ts';
import { DEFAULT_LIMITS, type NbdLimits } from './limits.ts';
import { listenTcp, type TcpAddress } from './listen-tcp.ts';
import { listenUnix, type UnixAddress } from './listen-unix.ts';
import { type Endpoint, nbdUri } from './nbd-uri.ts';

/** Where to listen. */
export type NbdAddress = UnixAddress | TcpAddress;

/** What a server may be given. */
export interface NbdServerOptions {
  readonly log?: Logger;
  readonly limits?: Partial<NbdLimits>;
  /** The machine's clock unless given. */
  readonly clock?: Clock;
}

/** What a server has done and holds. */
export interface NbdStatistics {
  readonly clients: { readonly now: number; readonly total: number; readonly refused: number };
  /** Requests of all clients that are not answered yet, and the memory that they hold. */
  readonly requests: { readonly now: number; readonly bytes: number };
  /** Memory that waits for the next requests. */
  readonly idleBytes: number;
  /** By name, for the exports that are there. */
  readonly exports: Readonly<Record<string, ExportStatistics>>;
}

/** An export that was made. */
export interface NbdExport {
  readonly name: string;
  /** For clients: `nbdinfo URI`. */
  readonly uri: string;
  readonly statistics: ExportStatistics;
  /**
   * Ends the export: it is not found any more, requests under way are answered, further ones get ESHUTDOWN with
   * `reason`, and its clients are disconnected. Resolves when they are.
   */
  withdraw(reason: string, options?: DrainOptions): Promise<void>;
}

/** Serves block devices to NBD clients. */
export class NbdServer {
  readonly #server: Server;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #limits: NbdLimits;
  readonly #pool: BufferPool;
  readonly #exports = new ExportRegistry();
  readonly #connections = new Set<Connection>();
  #endpoint: Endpoint | undefined;
  #accepted = 0;
  #refused = 0;

  private constructor({ log = SILENT, clock = new SystemClock(), limits }: NbdServerOptions) {
    this.#log = log;
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#pool = new BufferPool(this.#limits.idleBytes);
    // Half open: what a client asked for before it closed its side is still answered.
    const socketOptions = { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true };
    this.#server = createServer(socketOptions, (socket) => this.#accept(socket));
    this.#server.maxConnections = this.#limits.clients;
    this.#server.on('drop', () => this.#drop());
  }

  /**
   * Starts to listen.
   * @throws DeviceError `busy` (the message says who is there), `permission`, `not-found`, `config` (not the loopback
   * interface; a path that is too long).
   */
  static async listen(address: NbdAddress, options: NbdServerOptions = {}): Promise<NbdServer> {
    const server = new NbdServer(options);
    server.#endpoint =
      'unix' in address
        ? { unix: await listenUnix(server.#server, address) }
        : await listenTcp(server.#server, address);
    // A client that cannot be accepted, for want of a file descriptor, is no reason to stop serving the others.
    server.#server.on('error', (error) => server.#log.error(`a client was not accepted: ${error.message}`));
    return server;
  }

  /** For clients: `nbdinfo URI`; without a name that of the default export. */
  uri(exportName = ''): string {
    if (this.#endpoint === undefined) throw new DeviceError('closed', 'the server does not listen');
    return nbdUri(this.#endpoint, exportName);
  }

  /**
   * Offers a block device under a name. The first one is the default export as well.
   * @throws DeviceError `busy` when there is one of this name, `closed` when the server is closing; RangeError for a
   * name that the protocol cannot carry or a device without blocks.
   */
  export(name: string, device: BlockDevice, options: ExportOptions = {}): NbdExport {
    if (this.#exports.closing)
      throw new DeviceError('closed', `the NBD server is closing: '${name}' cannot be exported`);
    const disk = new ExportedDisk(name, device, options);
    this.#exports.add(disk);
    return {
      name,
      uri: this.uri(name),
      get statistics() {
        return { ...disk.count };
      },
      withdraw: (reason, drainOptions) => this.#withdraw(disk, reason, drainOptions),
    };
  }

  get statistics(): NbdStatistics {
    const loads = [...this.#connections].map((connection) => connection.load);
    return {
      clients: { now: this.#connections.size, total: this.#accepted, refused: this.#refused },
      requests: {
        now: loads.reduce((sum, load) => sum + load.requests, 0),
        bytes: loads.reduce((sum, load) => sum + load.bytes, 0),
      },
      idleBytes: this.#pool.idleBytes,
      exports: Object.fromEntries(this.#exports.list().map((disk) => [disk.name, { ...disk.count }])),
    };
  }

  /**
   * Stops listening, answers what was asked, disconnects the clients; resolves when all that is done. Says every second
   * what it waits for. May be called again with a shorter deadline.
   */
  async close(options?: DrainOptions): Promise<void> {
    this.#exports.closing = true;
    const stopped = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await this.#drain([...this.#connections], 'the server is shutting down', options);
    await stopped;
  }

  async #withdraw(disk: ExportedDisk, reason: string, options?: DrainOptions): Promise<void> {
    disk.withdrawn ??= reason;
    this.#exports.remove(disk);
    this.#log.info(`${disk.name}: withdrawn: ${reason}`);
    const clients = [...this.#connections].filter((connection) => connection.disk === disk);
    await this.#drain(clients, reason, options);
  }

  #drain(connections: readonly Connection[], reason: string, options?: DrainOptions): Promise<void> {
    return drainConnections(connections, reason, { clock: this.#clock, log: this.#log }, options);
  }

  #accept(socket: Socket): void {
    this.#accepted += 1;
    const connection = new Connection(this.#accepted, socket, {
      exports: this.#exports,
      pool: this.#pool,
      limits: this.#limits,
      clock: this.#clock,
      log: this.#log,
      withdraw: (disk, reason) => void this.#withdraw(disk, reason),
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  #drop(): void {
    this.#refused += 1;
    const message = `a client was refused: there are ${this.#limits.clients} already`;
    if (this.#refused === 1) this.#log.warn(message);
    else this.#log.debug(message);
  }
}
