import { join } from 'node:path';
import { StreamServer } from './stream-server.ts';

/**
 * The cable of a serial port of the machine; this process holds both of its ends and passes on what comes. The far end
 * is `/dev/virtio-ports/NAME` inside the machine, or an echo that sends everything back.
 */
export class Wire {
  readonly #near: StreamServer;
  readonly #far: StreamServer | undefined;

  private constructor(near: StreamServer, far: StreamServer | undefined) {
    this.#near = near;
    this.#far = far;
    void this.#join();
  }

  static async open(folder: string, name: string, end: 'guest' | 'echo'): Promise<Wire> {
    const near = await StreamServer.listen(join(folder, `${name}.near`));
    const far = end === 'guest' ? await StreamServer.listen(join(folder, `${name}.far`)) : undefined;
    return new Wire(near, far);
  }

  /** QEMU's arguments for the chardev of the serial port and, if the far end is in the machine, for that. */
  qemuArguments(id: string): string[] {
    const near = this.#near.chardev(id);
    if (this.#far === undefined) return near;
    const port = ['-device', `virtserialport,chardev=${id}-far,name=${id}`];
    return [...near, ...this.#far.chardev(`${id}-far`), ...port];
  }

  close(): void {
    this.#near.close();
    this.#far?.close();
  }

  async #join(): Promise<void> {
    const near = await this.#near.connected;
    const far = this.#far === undefined ? near : await this.#far.connected;
    near.pipe(far, { end: false });
    if (far !== near) far.pipe(near, { end: false });
  }
}
