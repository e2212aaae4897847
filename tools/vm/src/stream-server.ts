import { createServer, type Server, type Socket } from 'node:net';

/** A Unix socket of the host to which QEMU connects one chardev. */
export class StreamServer {
  readonly path: string;
  /** The connection of QEMU. */
  readonly connected: Promise<Socket>;
  readonly #server: Server;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
    this.connected = new Promise((resolve) => {
      server.once('connection', (socket) => {
        socket.on('error', () => {}); // QEMU was killed: 'close' follows and says enough.
        resolve(socket);
      });
    });
  }

  static async listen(path: string): Promise<StreamServer> {
    const server = createServer();
    const stream = new StreamServer(path, server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return stream;
  }

  /** QEMU's arguments for a chardev that ends here. */
  chardev(id: string): string[] {
    return ['-chardev', `socket,id=${id},path=${this.path}`];
  }

  close(): void {
    this.#server.close();
  }
}
