import { createServer, type Server, type Socket } from 'node:net';
import type { Logger, SerialPort } from '@ring3/core';
import { listenOnSocket } from '@ring3/rig';
import { Conversation, type SerialCounts } from './conversation.ts';
import type { SerialExport } from './serial-export.ts';
import { SocketEnd } from './socket-end.ts';

/**
 * Serves a port on a Unix socket: a stream of bytes, one client at a time, as a cable has one plug; a second one is turned
 * away. A client that shuts its side down has left. While nobody is there nothing is read, so what arrives waits in
 * the driver.
 */
export class SocketExport implements SerialExport {
  readonly uri: string;
  readonly counts: SerialCounts = { clients: 0, connected: 0, toClients: 0, fromClients: 0, lost: 0 };
  readonly #server: Server;
  readonly #port: SerialPort;
  readonly #log: Logger;
  #conversation: Conversation | undefined;

  static async listen(path: string, port: SerialPort, log: Logger): Promise<SocketExport> {
    const server = createServer();
    const exported = new SocketExport(path, server, port, log);
    await listenOnSocket(server, path);
    server.on('error', (error) => log.error(`${path}: ${error.message}`));
    return exported;
  }

  private constructor(path: string, server: Server, port: SerialPort, log: Logger) {
    this.uri = `unix:${path}`;
    this.#server = server;
    this.#port = port;
    this.#log = log;
    server.on('connection', (socket) => void this.#accept(socket));
  }

  async finish(): Promise<void> {
    this.#server.close();
    await this.#conversation?.finish();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    await this.#conversation?.end();
    await closed;
  }

  async #accept(socket: Socket): Promise<void> {
    if (this.#conversation !== undefined) {
      this.#log.warn(`${this.uri}: a second client is turned away: the line is in use`);
      socket.destroy();
      return;
    }
    this.#conversation = new Conversation(this.#port, new SocketEnd(socket), this.counts, this.#log);
    await this.#conversation.over;
    this.#conversation = undefined;
  }
}
