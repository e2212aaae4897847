import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLOCK_DEVICE, type BlockDevice, ServiceDirectory, SILENT } from '@ring3/core';
import { onTestFinished } from 'vitest';
import { type ConnectOptions, connectServices } from '../connect-services.ts';
import { type ServeOptions, serveServices } from '../serve-services.ts';
import { WIRES } from '../wires.ts';

/** A folder for sockets that goes with the test. */
export async function socketFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ring3-wire-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A disk that is served on a real Unix socket of this process, and how to connect to it. */
export async function serveDisk(disk: BlockDevice, options: Partial<ServeOptions> = {}) {
  const path = join(await socketFolder(), 'host.sock');
  const directory = new ServiceDirectory();
  const withdraw = directory.publish(BLOCK_DEVICE, 'disk0', disk);
  const server = await serveServices(directory, {
    socket: path,
    device: 'ata0',
    generation: 3,
    wires: WIRES,
    log: SILENT,
    ...options,
  });
  onTestFinished(() => server.close('the test is over'));
  const connectTo = async (more: Partial<ConnectOptions> = {}) => {
    const connection = await connectServices(path, { wires: WIRES, log: SILENT, ...more });
    onTestFinished(() => connection.close());
    return connection;
  };
  return { path, directory, withdraw, server, connect: connectTo };
}

/** A frame as docs/service-protocol.md says. */
export function frameOf(message: object, payload: Uint8Array = new Uint8Array()): Buffer {
  const json = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(8);
  head.writeUInt32LE(json.length, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, json, payload]);
}

/** A client that says what the test wants. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves with all messages when the other side has closed. */
  readonly ended: Promise<Record<string, unknown>[]>;
  #received = Buffer.alloc(0);

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    this.ended = new Promise((resolve) => {
      this.socket.once('close', () => resolve(this.messages));
    });
    onTestFinished(() => void this.socket.destroy());
  }

  /** Everything that came so far, without the payloads. */
  get messages(): Record<string, unknown>[] {
    const found: Record<string, unknown>[] = [];
    for (let at = 0; at + 8 <= this.#received.length; ) {
      const json = this.#received.readUInt32LE(at);
      const payload = this.#received.readUInt32LE(at + 4);
      found.push(JSON.parse(this.#received.toString('utf8', at + 8, at + 8 + json)));
      at += 8 + json + payload;
    }
    return found;
  }

  say(message: object, payload?: Uint8Array): void {
    this.socket.write(frameOf(message, payload));
  }

  /** Waits until a message fits. */
  async heard(fits: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      await new Promise((resolve) => this.socket.once('data', resolve));
    }
  }
}
