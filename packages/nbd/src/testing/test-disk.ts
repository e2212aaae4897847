import {
  type BlockDevice,
  type BlockDeviceInfo,
  checkBlockRange,
  checkBlocks,
  DeviceError,
  type WriteOptions,
} from '@ring3/core';

/** A call of the device, before it takes effect. */
export interface DiskCall {
  readonly kind: 'read' | 'write' | 'flush' | 'trim';
  readonly block: number;
  readonly blocks: number;
  readonly fua: boolean;
}

/** A disk in one flat buffer, whose calls a test can watch, hold up and fail. What it trims reads as 0x55. */
export class TestDisk implements BlockDevice {
  /** May be replaced, which no device may do. */
  info: BlockDeviceInfo;
  readonly content: Buffer;
  readonly calls: DiskCall[] = [];
  /** Runs before a call takes effect: a promise holds it up, an error fails it. */
  before: (call: DiskCall) => Promise<void> | void = () => {};
  #now = 0;
  #most = 0;

  constructor(info: Partial<BlockDeviceInfo> = {}) {
    this.info = {
      model: 'test disk',
      serial: 'T1',
      blockSizeBytes: 512,
      blockCount: 2048,
      readOnly: false,
      maxTransferBlocks: 256,
      volatileCache: true,
      simulated: false,
      ...info,
    };
    this.content = Buffer.alloc(this.info.blockSizeBytes * this.info.blockCount);
  }

  /** The most calls that were under way at a time. */
  get mostAtOnce(): number {
    return this.#most;
  }

  /** Content by which every place can be told from every other. */
  fill(): this {
    for (let at = 0; at < this.content.length; at += 4) this.content.writeUInt32LE((at * 2654435761) >>> 0, at);
    return this;
  }

  /** From now on every call that touches `bad` fails as bad media do. */
  damage(bad: number): void {
    this.before = ({ block, blocks }) => {
      if (block > bad || block + blocks <= bad) return;
      throw new DeviceError('media', `block ${bad} is bad`, { details: { block: bad } });
    };
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    await this.#call('read', block, into.length);
    const at = block * this.info.blockSizeBytes;
    into.set(this.content.subarray(at, at + into.length));
  }

  async write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    await this.#call('write', block, from.length, fua);
    this.content.set(from, block * this.info.blockSizeBytes);
  }

  async flush(): Promise<void> {
    await this.#call('flush', 0, 0);
  }

  async trim(block: number, blockCount: number): Promise<void> {
    const { blockSizeBytes } = this.info;
    checkBlocks(this.info, block, blockCount);
    await this.#watched({ kind: 'trim', block, blocks: blockCount, fua: false });
    this.content.fill(0x55, block * blockSizeBytes, (block + blockCount) * blockSizeBytes);
  }

  async #call(kind: DiskCall['kind'], block: number, lengthBytes: number, fua = false): Promise<void> {
    if (kind !== 'flush') checkBlockRange(this.info, block, lengthBytes);
    const blocks = lengthBytes / this.info.blockSizeBytes;
    if (blocks > this.info.maxTransferBlocks) throw new RangeError(`${blocks} blocks at once`);
    await this.#watched({ kind, block, blocks, fua });
  }

  async #watched(call: DiskCall): Promise<void> {
    this.calls.push(call);
    this.#now += 1;
    this.#most = Math.max(this.#most, this.#now);
    try {
      await this.before(call);
    } finally {
      this.#now -= 1;
    }
  }
}

/** Something that a test opens when it likes: calls wait at it until then. */
export class Gate {
  readonly opened: Promise<void>;
  /** Resolves when somebody has come to the gate. */
  readonly reached: Promise<void>;
  #open: () => void = () => {};
  #reach: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.reached = new Promise((resolve) => {
      this.#reach = resolve;
    });
  }

  open(): void {
    this.#open();
  }

  pass(): Promise<void> {
    this.#reach();
    return this.opened;
  }
}
