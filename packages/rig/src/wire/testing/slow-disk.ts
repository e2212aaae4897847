import type { BlockDevice, BlockDeviceInfo, WriteOptions } from '@ring3/core';
import { expect } from 'vitest';
import { ConnectionLostError } from '../wire-error.ts';

/** What a slow disk says of itself. */
export const INFO: BlockDeviceInfo = {
  model: 'ACME 40',
  serial: 'A1',
  blockSizeBytes: 512,
  blockCount: 64,
  readOnly: false,
  maxTransferBlocks: 16,
  volatileCache: true,
  simulated: true,
};

interface Asked {
  readonly what: string;
  readonly data: Uint8Array | undefined;
  done(): void;
  fail(error: Error): void;
}

/** One life of a disk whose every request waits for the test. */
export class SlowDisk implements BlockDevice {
  readonly info: BlockDeviceInfo;
  readonly asked: Asked[] = [];

  constructor(info: Partial<BlockDeviceInfo> = {}) {
    this.info = { ...INFO, ...info };
  }

  read(block: number, into: Uint8Array): Promise<void> {
    return this.#ask(`read ${block}`, into);
  }

  write(block: number, from: Uint8Array, { fua = false }: WriteOptions = {}): Promise<void> {
    return this.#ask(`write ${block}=${from[0]}${fua ? ' fua' : ''}`, from);
  }

  flush(): Promise<void> {
    return this.#ask('flush', undefined);
  }

  trim(block: number, blockCount: number): Promise<void> {
    return this.#ask(`trim ${block}+${blockCount}`, undefined);
  }

  /** What is asked now, in order. */
  get words(): string[] {
    return this.asked.map(({ what }) => what);
  }

  /** Takes the oldest request, which must be this one. */
  take(what: string): Asked {
    const asked = this.asked.shift();
    expect(asked?.what).toBe(what);
    if (asked === undefined) throw new Error('nothing was asked');
    return asked;
  }

  /** The connection is lost. */
  lose(): void {
    for (const { fail } of this.asked.splice(0)) fail(new ConnectionLostError('killed'));
  }

  #ask(what: string, data: Uint8Array | undefined): Promise<void> {
    return new Promise((done, fail) => {
      this.asked.push({ what, data, done, fail });
    });
  }
}
