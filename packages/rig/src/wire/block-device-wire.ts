import {
  BLOCK_DEVICE,
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  DeviceError,
  type WriteOptions,
} from '@ring3/core';
import { z } from 'zod';
import { MAX_PAYLOAD_BYTES } from './frame-reader.ts';
import { type ServiceWire, unknownMethod, type WireCall, type WireCaller } from './service-wire.ts';

const infoSchema = z.object({
  model: z.string(),
  serial: z.string(),
  blockSizeBytes: z.int().positive(),
  blockCount: z.int().positive(),
  readOnly: z.boolean(),
  maxTransferBlocks: z.int().positive(),
  volatileCache: z.boolean(),
  trim: z.literal(true).optional(),
  simulated: z.boolean(),
});

/**
 * Carries disks: `read {block}` with the data as payload of the result, `write {block, fua}` with the data as payload
 * of the call, `flush {}`, `trim {block, blockCount}` where `info.trim` says so. A disk that takes longer transfers than a frame does shows the length of a frame.
 */
export const blockDeviceWire: ServiceWire<BlockDevice> = {
  serviceClass: BLOCK_DEVICE,
  describe({ info }) {
    const { model, serial, blockSizeBytes, blockCount, readOnly, volatileCache, simulated } = info;
    const maxTransferBlocks = Math.min(info.maxTransferBlocks, Math.floor(MAX_PAYLOAD_BYTES / blockSizeBytes));
    const described: BlockDeviceInfo = {
      model,
      serial,
      blockSizeBytes,
      blockCount,
      readOnly,
      maxTransferBlocks,
      volatileCache,
      simulated,
      ...(info.trim === true && { trim: true }),
    };
    return described;
  },
  serve: serveBlockDevice,
  proxy: (info, caller) => {
    const { trim, ...rest } = infoSchema.parse(info);
    return new RemoteDisk(trim ? { ...rest, trim } : rest, caller);
  },
};

/** Range errors are the disk's own; a wrong type is found here. */
async function serveBlockDevice(disk: BlockDevice, { method, args, from, into }: WireCall): Promise<unknown> {
  switch (method) {
    case 'read':
      return disk.read(blockOf(args), into ?? missing('read', 'into, the length of its result'));
    case 'write':
      return disk.write(blockOf(args), from ?? missing('write', 'a payload'), { fua: isFua(args) });
    case 'flush':
      return disk.flush();
    case 'trim':
      return trimmable(disk)(blockOf(args), blockCountOf(args));
    default:
      throw unknownMethod('block-device', method);
  }
}

function blockOf({ block }: WireCall['args']): number {
  if (typeof block !== 'number') throw new TypeError(`block is ${JSON.stringify(block)}, not a number`);
  return block;
}

function blockCountOf({ blockCount }: WireCall['args']): number {
  if (typeof blockCount !== 'number') throw new TypeError(`blockCount is ${JSON.stringify(blockCount)}, not a number`);
  return blockCount;
}

function trimmable(disk: BlockDevice): NonNullable<BlockDevice['trim']> {
  if (disk.info.trim !== true || disk.trim === undefined) {
    throw new DeviceError('unsupported', `${disk.info.model} knows no trim`);
  }
  return disk.trim.bind(disk);
}

function isFua({ fua = false }: WireCall['args']): boolean {
  if (typeof fua !== 'boolean') throw new TypeError(`fua is ${JSON.stringify(fua)}, not true or false`);
  return fua;
}

function missing(method: string, what: string): never {
  throw new TypeError(`${method} came without ${what}`);
}

class RemoteDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #caller: WireCaller;

  constructor(info: BlockDeviceInfo, caller: WireCaller) {
    this.info = info;
    this.#caller = caller;
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    checkBlockRange(this.info, block, into.length);
    await this.#caller.call('read', { block }, { into });
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    checkBlockRange(this.info, block, from.length);
    await this.#caller.call('write', fua ? { block, fua } : { block }, { from });
  }

  async flush(): Promise<void> {
    await this.#caller.call('flush', {});
  }

  async trim(block: number, blockCount: number): Promise<void> {
    checkBlocks(this.info, block, blockCount);
    await this.#caller.call('trim', { block, blockCount });
  }
}
