import { randomFillSync } from 'node:crypto';
import type { BlockDevice, BlockDeviceInfo } from '@ring3/core';
import { NbdServer } from '@ring3/nbd';

// `nbd-memory-server.ts SOCKET MIB`: serves a disk in one Buffer, full of random bytes, until SIGTERM. What it costs is the server.

class BufferDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #content: Buffer;

  constructor(content: Buffer) {
    this.#content = content;
    this.info = {
      model: 'buffer',
      serial: 'B0',
      blockSizeBytes: 512,
      blockCount: content.length / 512,
      readOnly: false,
      maxTransferBlocks: 65_536,
      volatileCache: false,
      simulated: true,
    };
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    const at = block * 512;
    into.set(this.#content.subarray(at, at + into.length));
  }

  async write(block: number, from: Uint8Array): Promise<void> {
    this.#content.set(from, block * 512);
  }

  async flush(): Promise<void> {}
}

const [socket = '', mib = ''] = process.argv.slice(2);
const content = Buffer.allocUnsafeSlow(Number(mib) * 2 ** 20);
const server = await NbdServer.listen({ unix: socket });
server.export('disk', new BufferDisk(randomFillSync(content)));
process.stderr.write(`is served at ${server.uri()}\n`);
process.once('SIGTERM', () => void server.close({ deadlineMs: 0 }));
