import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { StreamServer } from './stream-server.ts';

/** What went over a wire in one direction, as this process saw it. */
export interface WireCount {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The cable of a serial port of the machine; this process holds both of its ends, so it counts what goes over it.
 * The far end is `/dev/virtio-ports/NAME` inside the machine, or an echo that sends everything back.
 */
export class Wire {
  readonly #near: StreamServer;
  readonly #far: StreamServer | undefined;
  readonly #fromDevice = new Tally();
  readonly #toDevice = new Tally();

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

  counts(): { fromDevice: WireCount; toDevice: WireCount } {
    return { fromDevice: this.#fromDevice.count(), toDevice: this.#toDevice.count() };
  }

  close(): void {
    this.#near.close();
    this.#far?.close();
  }

  async #join(): Promise<void> {
    const near = await this.#near.connected;
    const far = this.#far === undefined ? near : await this.#far.connected;
    relay(near, far, this.#fromDevice);
    if (far === near) near.on('data', (chunk) => this.#toDevice.add(chunk));
    else relay(far, near, this.#toDevice);
  }
}

class Tally {
  #bytes = 0;
  readonly #hash = createHash('sha256');

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#hash.update(chunk);
  }

  count(): WireCount {
    return { bytes: this.#bytes, sha256: this.#hash.copy().digest('hex') };
  }
}

function relay(from: Socket, to: Socket, tally: Tally): void {
  from.on('data', (chunk) => tally.add(chunk));
  from.pipe(to, { end: false });
}
