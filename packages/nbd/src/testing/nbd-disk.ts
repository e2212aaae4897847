import {
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  DeviceError,
  type WriteOptions,
} from '@ring3/core';
import type { RawClient, RawRequest } from './raw-client.ts';

interface Pending {
  readonly into: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A block device at the other end of a connection: the server under the suite that every block device passes. */
export class NbdDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #client: RawClient;
  readonly #pending = new Map<number, Pending>();
  #cookie = 0;
  #closed = false;

  /** The client has finished the handshake, without structured replies. */
  constructor(client: RawClient, info: BlockDeviceInfo) {
    this.info = info;
    this.#client = client;
    void this.#receive();
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    this.#check(block, into.length);
    await this.#request({ type: 0, offset: block * this.info.blockSizeBytes, length: into.length }, into);
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    this.#check(block, from.length);
    if (this.info.readOnly) throw new DeviceError('unsupported', `block ${block} cannot be written: read-only`);
    await this.#request({ type: 1, offset: block * this.info.blockSizeBytes, payload: from, flags: fua ? 1 : 0 });
  }

  async flush(): Promise<void> {
    await this.#request({ type: 3 });
  }

  async trim(block: number, blockCount: number): Promise<void> {
    const { blockSizeBytes, readOnly } = this.info;
    checkBlocks(this.info, block, blockCount);
    if (readOnly) throw new DeviceError('unsupported', `block ${block} cannot be trimmed: read-only`);
    await this.#request({ type: 4, offset: block * blockSizeBytes, length: blockCount * blockSizeBytes });
  }

  /** Takes leave with DISC and waits until the server has hung up. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#client.request({ type: 2 });
    await this.#client.ended;
    this.#client.socket.end();
  }

  #check(block: number, lengthBytes: number): void {
    checkBlockRange(this.info, block, lengthBytes);
    const { blockSizeBytes, maxTransferBlocks } = this.info;
    if (lengthBytes <= blockSizeBytes * maxTransferBlocks) return;
    throw new RangeError(`${lengthBytes} bytes at once: the most is ${maxTransferBlocks} blocks`);
  }

  #request(request: RawRequest, into?: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new DeviceError('closed', 'the connection was closed'));
    const cookie = ++this.#cookie;
    return new Promise((resolve, reject) => {
      this.#pending.set(cookie, { into, resolve, reject });
      this.#client.request({ ...request, cookie });
    });
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const reply = await this.#client.replyHeader();
        const pending = this.#pending.get(reply.cookie);
        if (pending === undefined) throw new Error(`nobody asked for ${reply.cookie}`);
        this.#pending.delete(reply.cookie);
        const { into } = pending;
        if (reply.error === 0 && into !== undefined) into.set(await this.#client.read(into.length));
        if (reply.error === 0) pending.resolve();
        else pending.reject(new DeviceError(reply.error === 108 ? 'gone' : 'fault', `NBD error ${reply.error}`));
      }
    } catch (cause) {
      this.#closed = true;
      for (const { reject } of this.#pending.values()) reject(new DeviceError('closed', `${cause}`, { cause }));
    }
  }
}
