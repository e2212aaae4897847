import {
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  type WriteOptions,
} from '../block-device.ts';
import { type Clock, sleep } from '../clock.ts';
import { DeviceError } from '../device-error.ts';
import { pick, type Random, seededRandom } from './seeded-random.ts';

/** How a {@link MemoryDisk} behaves; everything has a default. */
export interface MemoryDiskOptions extends Partial<BlockDeviceInfo> {
  /** With a latency: the time in which requests take effect. */
  readonly clock?: Clock;
  /** How long the next request takes; a function may answer anew each time. Default 0: in the order of the calls. */
  readonly latencyUs?: number | (() => number);
  /** Decides of each trimmed block what it is afterwards: as before, an older content, or zeros. Default: seed 1. */
  readonly random?: Random;
}

const DEFAULTS: BlockDeviceInfo = {
  model: 'memory disk',
  serial: 'M0',
  blockSizeBytes: 512,
  blockCount: 1024,
  readOnly: false,
  maxTransferBlocks: 256,
  volatileCache: true,
  simulated: true,
};

/**
 * The reference block device for tests: stable blocks behind a volatile cache, as simple as the contract allows.
 * A request takes effect at one moment, when its latency is over and before its promise resolves.
 */
export class MemoryDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #clock: Clock | undefined;
  readonly #latencyUs: () => number;
  readonly #random: Random;
  readonly #stable = new Map<number, Uint8Array>();
  readonly #cache = new Map<number, Uint8Array>();
  readonly #unreadable = new Set<number>();
  #powerCycle = 0;
  #closedReason: string | undefined;

  constructor(options: MemoryDiskOptions = {}) {
    const { clock, latencyUs = 0, random = seededRandom(1), ...info } = options;
    this.info = { ...DEFAULTS, ...info };
    this.#clock = clock;
    this.#random = random;
    this.#latencyUs = typeof latencyUs === 'function' ? latencyUs : () => latencyUs;
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    this.#check(block, into.length);
    await this.#perform(() => {
      for (const [number, at] of this.#blocks(block, into.length)) {
        if (this.#unreadable.has(number)) throw mediaError(number);
        const data = this.#cache.get(number) ?? this.#stable.get(number);
        if (data === undefined) into.fill(0, at, at + this.info.blockSizeBytes);
        else into.set(data, at);
      }
    });
  }

  async write(block: number, from: Uint8Array, options: WriteOptions = {}): Promise<void> {
    this.#check(block, from.length);
    this.#checkWritable(block);
    const writeThrough = options.fua === true || !this.info.volatileCache;
    await this.#perform(() => {
      for (const [number, at] of this.#blocks(block, from.length)) {
        const data = from.slice(at, at + this.info.blockSizeBytes);
        this.#unreadable.delete(number);
        this.#cache.delete(number);
        (writeThrough ? this.#stable : this.#cache).set(number, data);
      }
    });
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#perform(() => this.#writeBack(() => true));
  }

  /** Only with `trim: true` in the options. */
  async trim(block: number, blockCount: number): Promise<void> {
    this.#checkOpen();
    checkBlocks(this.info, block, blockCount);
    this.#checkWritable(block);
    if (this.info.trim !== true) throw new DeviceError('unsupported', `${this.info.model} knows no trim`);
    await this.#perform(() => {
      for (let number = block; number < block + blockCount; number += 1) this.#forget(number);
    });
  }

  /**
   * The power goes and comes back: requests in flight fail with DeviceError `gone`, the cache is lost.
   * @param reached tells which cached blocks had reached stable storage by themselves. Default: none.
   */
  cutPower(reached: (block: number) => boolean = () => false): void {
    this.#powerCycle++;
    this.#writeBack(reached);
    this.#cache.clear();
  }

  /** Makes a block unreadable, as a bad sector is, until it is written anew. */
  damage(block: number): void {
    this.#unreadable.add(block);
  }

  /** Ends the disk, with what is in flight: DeviceError `closed` from now on. */
  close(reason = 'closed'): void {
    this.#closedReason ??= reason;
  }

  #check(block: number, lengthBytes: number): void {
    this.#checkOpen();
    checkBlockRange(this.info, block, lengthBytes);
  }

  #checkOpen(): void {
    if (this.#closedReason !== undefined)
      throw new DeviceError('closed', `${this.info.model} was ${this.#closedReason}`);
  }

  #checkWritable(block: number): void {
    if (!this.info.readOnly) return;
    throw new DeviceError('unsupported', `${this.info.model} is read-only: block ${block} cannot be written`);
  }

  /** Zeros at once, zeros that a loss of power takes back, what was there before the last write, or nothing at all. */
  #forget(block: number): void {
    const choice = pick(this.#random, 4);
    if (choice === 0) this.#stable.delete(block);
    if (choice === 1) this.#cache.set(block, new Uint8Array(this.info.blockSizeBytes));
    else if (choice < 3) this.#cache.delete(block);
  }

  /** Does the whole effect of a request at one moment, unless the disk was closed or lost its power before. */
  async #perform(effect: () => void): Promise<void> {
    const cycle = this.#powerCycle;
    const latencyUs = this.#latencyUs();
    const clock = this.#clock;
    if (clock !== undefined && latencyUs > 0) await sleep(clock, latencyUs);
    else await Promise.resolve();
    this.#checkOpen();
    if (cycle !== this.#powerCycle)
      throw new DeviceError('gone', `${this.info.model}: the power was cut during a request`);
    effect();
  }

  #writeBack(reached: (block: number) => boolean): void {
    for (const [block, data] of this.#cache) {
      if (!reached(block)) continue;
      this.#stable.set(block, data);
      this.#cache.delete(block);
    }
  }

  /** Each block of a request with its place in the buffer. */
  *#blocks(block: number, lengthBytes: number): Generator<[number, number]> {
    const { blockSizeBytes } = this.info;
    for (let at = 0; at < lengthBytes; at += blockSizeBytes) yield [block + at / blockSizeBytes, at];
  }
}

function mediaError(block: number): DeviceError {
  return new DeviceError('media', `block ${block} cannot be read`, { details: { block } });
}
