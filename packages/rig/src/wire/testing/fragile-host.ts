import type { BlockDevice, BlockDeviceInfo, Clock, WriteOptions } from '@ring3/core';
import { MemoryDisk, type MemoryDiskOptions } from '@ring3/core/testing';
import { ConnectionLostError } from '../wire-error.ts';

/**
 * A device host on a clock that a test steps: requests and answers take time on their way, requests overtake each
 * other, writes are done block by block, and {@link kill} may come between any two of these.
 */
export class FragileHost {
  readonly disk: MemoryDisk;
  readonly #clock: Clock;
  readonly #random: () => number;
  #life: Life | undefined;

  constructor(clock: Clock, random: () => number, options: MemoryDiskOptions = {}) {
    this.#clock = clock;
    this.#random = random;
    this.disk = new MemoryDisk({ random, ...options, clock, latencyUs: () => Math.floor(random() * 20) });
  }

  /** Starts it (again): what a connection to it offers. */
  start(): BlockDevice {
    this.#life = new Life(this.disk, this.#clock, this.#random);
    return this.#life;
  }

  /** SIGKILL: nothing goes on, no answer arrives any more, the volatile cache is lost but for what had got out. */
  kill(reached: (block: number) => boolean = () => false): void {
    this.#life?.end();
    this.disk.cutPower(reached);
  }
}

class Life implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly #disk: MemoryDisk;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #lost: Promise<never>;
  #lose: (error: Error) => void = () => {};
  #ended = false;

  constructor(disk: MemoryDisk, clock: Clock, random: () => number) {
    this.#disk = disk;
    this.info = disk.info;
    this.#clock = clock;
    this.#random = random;
    this.#lost = new Promise((_, reject) => {
      this.#lose = reject;
    });
    this.#lost.catch(() => {});
  }

  end(): void {
    this.#ended = true;
    this.#lose(new ConnectionLostError('killed'));
  }

  async read(block: number, into: Uint8Array): Promise<void> {
    const there = new Uint8Array(into.length);
    await this.#carry(() => this.#disk.read(block, there));
    into.set(there);
  }

  write(block: number, from: Uint8Array, options: WriteOptions = {}): Promise<void> {
    const size = this.info.blockSizeBytes;
    const there = new Uint8Array(from);
    return this.#carry(async () => {
      for (let at = 0; at < there.length; at += size) {
        await this.#disk.write(block + at / size, there.subarray(at, at + size), options);
      }
    });
  }

  trim(block: number, blockCount: number): Promise<void> {
    return this.#carry(async () => {
      for (let at = block; at < block + blockCount; at += 1) await this.#disk.trim(at, 1);
    });
  }

  flush(): Promise<void> {
    return this.#carry(() => this.#disk.flush());
  }

  async #carry(work: () => Promise<void>): Promise<void> {
    await this.#travel();
    const done = work();
    done.catch(() => {});
    await Promise.race([done, this.#lost]);
    await this.#travel();
  }

  async #travel(): Promise<void> {
    const arrived = new Promise<void>((resolve) => {
      this.#clock.after(Math.floor(this.#random() ** 2 * 40), resolve);
    });
    await Promise.race([arrived, this.#lost]);
    if (this.#ended) throw new ConnectionLostError('killed');
  }
}
