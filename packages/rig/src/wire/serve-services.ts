import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, DeviceError, type Logger, type ServiceDirectory, SystemClock } from '@ring3/core';
import { BufferPool } from './buffer-pool.ts';
import { listenOnSocket } from './listen-socket.ts';
import { type ClientHello, type HostHello, SERVICE_PROTOCOL_VERSION } from './messages.ts';
import { OfferedServices } from './offered-services.ts';
import { type ClientHost, ServedClient } from './served-client.ts';
import type { ServiceWire } from './service-wire.ts';

/** How long a client may take to read its last answers when the server closes. */
const CLOSE_PATIENCE_US = 500_000;

/** Memory for payloads that is kept while it is not used. */
const POOL_BYTES = 16 * 1024 * 1024;

/** What {@link serveServices} is to serve, and where. */
export interface ServeOptions {
  /** The path of a Unix socket, or a server that listens already and is then closed with the service. */
  readonly socket: string | Server;
  /** The name of the device, for its clients. */
  readonly device: string;
  /** Counts the lives of the device: a client that meets a higher one knows that the driver died in between. */
  readonly generation: number;
  /** How each class of services is carried; services of other classes are not offered. */
  readonly wires: readonly ServiceWire<unknown>[];
  readonly log: Logger;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A directory of services that other processes use. */
export interface ServiceServer {
  /** How many clients have said hello. */
  readonly clients: number;
  /**
   * Tells the clients why and closes; calls in flight are not answered, so a client may repeat them on another life of
   * the device. Close this before the driver when the device is to come back: what a driver withdraws does not.
   */
  close(reason: string): Promise<void>;
}

/**
 * Offers the services of `directory` to other processes, now and as they come and go: the device host's side of
 * docs/service-protocol.md.
 * @throws DeviceError `busy` when someone serves on that path, `permission`, `not-found`, `config`.
 */
export async function serveServices(directory: ServiceDirectory, options: ServeOptions): Promise<ServiceServer> {
  const server = typeof options.socket === 'string' ? createServer() : options.socket;
  const host = new ServiceHost(directory, options, server);
  if (typeof options.socket === 'string') await listenOnSocket(server, options.socket);
  // Not before: a socket that a dead process left is no failure.
  server.on('error', (error) => options.log.error(`${options.device}: the service socket failed: ${error.message}`));
  return host;
}

class ServiceHost implements ClientHost, ServiceServer {
  readonly offered: OfferedServices;
  readonly pool = new BufferPool(POOL_BYTES);
  readonly #options: ServeOptions;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #clients = new Set<ServedClient>();
  readonly #sessions = new Map<string, ServedClient>();
  #closing = false;

  constructor(directory: ServiceDirectory, options: ServeOptions, server: Server) {
    this.#options = options;
    this.#clock = options.clock ?? new SystemClock();
    this.#server = server;
    this.offered = new OfferedServices(directory, options.wires, options.log);
    this.offered.came$.subscribe((offer) => {
      for (const client of this.#clients) client.published(offer);
    });
    this.offered.went$.subscribe((departure) => {
      for (const client of this.#clients) client.withdrawn(departure);
    });
    server.on('connection', this.#accept);
  }

  get clients(): number {
    return this.#sessions.size;
  }

  /**
   * Lets a client in. A session that comes again replaces its older connection: that one is cut off, and the calls that
   * the driver still does for it are awaited, so that none of them is done after one of the new connection.
   */
  hello(client: ServedClient, { version, session }: ClientHello): void {
    if (version !== SERVICE_PROTOCOL_VERSION) {
      const words = `this device host speaks version ${SERVICE_PROTOCOL_VERSION} of the service protocol, its client ${version}`;
      throw new DeviceError('protocol', `${words}: run the same ring3 on both sides`);
    }
    if ([...this.#sessions.values()].includes(client)) throw new DeviceError('protocol', 'hello was said twice');
    const before = this.#sessions.get(session);
    this.#sessions.set(session, client);
    before?.abort(new Error(`the session ${session} connected again`));
    void this.#admit(client, before);
  }

  gone(client: ServedClient, reason: string): void {
    this.#clients.delete(client);
    this.#options.log.debug(`${this.#options.device}: a client left: ${reason}`);
    void client.idle().then(() => {
      for (const [session, found] of this.#sessions) if (found === client) this.#sessions.delete(session);
    });
  }

  async close(reason: string): Promise<void> {
    this.#closing = true;
    await Promise.resolve(); // What was withdrawn before is told before.
    this.offered.close();
    this.#server.off('connection', this.#accept);
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.#clients) client.close(new Error(reason));
    const deadline = this.#clock.after(CLOSE_PATIENCE_US, () => {
      for (const client of this.#clients) client.abort(new Error(reason));
    });
    await closed;
    deadline.cancel();
  }

  async #admit(client: ServedClient, before: ServedClient | undefined): Promise<void> {
    await before?.idle();
    if (!this.#clients.has(client)) return;
    const hello: HostHello = {
      type: 'hello',
      version: SERVICE_PROTOCOL_VERSION,
      device: this.#options.device,
      generation: this.#options.generation,
      services: this.offered.list(),
    };
    client.admit(hello);
  }

  readonly #accept = (socket: Socket): void => {
    if (this.#closing) socket.destroy();
    else this.#clients.add(new ServedClient(socket, this));
  };
}
