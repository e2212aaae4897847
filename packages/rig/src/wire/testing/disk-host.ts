import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import {
  BLOCK_DEVICE,
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  ServiceDirectory,
  SILENT,
  type WriteOptions,
} from '@ring3/core';
import { serveServices } from '../serve-services.ts';
import { WIRES } from '../wires.ts';

/**
 * A device host as a program of its own, for tests that kill it: `disk-host.ts SOCKET MEDIUM BLOCKS GENERATION`.
 * The medium is a file, the volatile cache is memory of this process. Says "ready" to its parent.
 */
class CachedFile implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #file: number;
  readonly #cache = new Map<number, Uint8Array>();

  constructor(path: string, blockCount: number) {
    this.#file = openSync(path, 'r+');
    this.info = {
      model: 'cached file',
      serial: path,
      blockSizeBytes: 512,
      blockCount,
      readOnly: false,
      maxTransferBlocks: 256,
      volatileCache: true,
      simulated: true,
    };
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    checkBlockRange(this.info, block, into.length);
    await turn();
    for (let at = 0; at < into.length; at += 512) {
      const number = block + at / 512;
      const cached = this.#cache.get(number);
      if (cached === undefined) readSync(this.#file, into, at, 512, number * 512);
      else into.set(cached, at);
    }
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    checkBlockRange(this.info, block, from.length);
    for (let at = 0; at < from.length; at += 512) {
      if (Math.random() < 0.1) await turn(); // A death may come in the middle.
      this.#cache.set(block + at / 512, from.slice(at, at + 512));
      if (fua || Math.random() < 0.1) this.#writeBack(block + at / 512); // Caches also empty themselves.
    }
    await turn();
  }

  async flush(): Promise<void> {
    await turn();
    for (const block of [...this.#cache.keys()]) this.#writeBack(block);
  }

  close(): void {
    closeSync(this.#file);
  }

  #writeBack(block: number): void {
    const data = this.#cache.get(block);
    this.#cache.delete(block);
    if (data !== undefined) writeSync(this.#file, data, 0, 512, block * 512);
  }
}

const [socket = '', medium = '', blocks = '', generation = ''] = process.argv.slice(2);
const directory = new ServiceDirectory();
directory.publish(BLOCK_DEVICE, 'disk0', new CachedFile(medium, Number(blocks)));
await serveServices(directory, { socket, device: 'ata0', generation: Number(generation), wires: WIRES, log: SILENT });
process.on('disconnect', () => process.exit());
process.send?.('ready');
