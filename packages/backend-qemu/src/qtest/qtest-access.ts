import type { RegisterAccess, RegisterOp, Width } from '@ring3/core';
import { type BusKind, opCommand, readCommand, writeCommand, writePrefix } from './bus.ts';
import { BATCH, type QtestConnection } from './qtest-connection.ts';

const ALL_ONES_64 = 0xffff_ffff_ffff_ffffn;
const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Where a range of registers is. */
export interface QtestRange {
  readonly bus: BusKind;
  readonly base: bigint;
}

/**
 * Registers of a device model of QEMU: one command for each access, so exactly one access of that width; what belongs
 * together goes out in one piece. When QEMU is gone it reads all ones, and writes vanish.
 */
export class QtestAccess implements RegisterAccess {
  readonly read64?: (offset: number) => bigint;
  readonly write64?: (offset: number, value: bigint) => void;
  readonly #qtest: QtestConnection;
  readonly #bus: BusKind;
  readonly #base: bigint;
  /** The text of the reads of a FIFO, by register and number of words. */
  readonly #fifoReads = new Map<string, Buffer>();
  #value = 0;
  readonly #take = (low: number) => {
    this.#value = low;
  };

  constructor(qtest: QtestConnection, { bus, base }: QtestRange) {
    this.#qtest = qtest;
    this.#bus = bus;
    this.#base = base;
    if (bus === 'port') return;
    this.read64 = (offset) => this.#read64(offset);
    this.write64 = (offset, value) => void qtest.exchange(writeCommand(bus, 64, this.#at(offset), value), 1);
  }

  read(offset: number, width: Width): number {
    const { alive } = this.#qtest;
    if (!alive || !this.#qtest.exchange(readCommand(this.#bus, width, this.#at(offset)), 1, this.#take)) {
      return allOnes(width);
    }
    return this.#value;
  }

  write(offset: number, width: Width, value: number): void {
    this.#qtest.exchange(writeCommand(this.#bus, width, this.#at(offset), value), 1);
  }

  sequence(ops: readonly RegisterOp[], results: number[]): void {
    const reads = ops.filter(({ kind }) => kind === 'read');
    const values: number[] = [];
    const isRead = ops.map(({ kind }) => kind === 'read');
    let at = 0;
    this.#qtest.exchangeAll(
      ops.map((op) => opCommand(this.#bus, this.#base, op)),
      (low) => {
        if (isRead[at++] === true) values.push(low);
      },
    );
    for (const [index, { width }] of reads.entries()) results.push(values[index] ?? allOnes(width));
  }

  readFifo(offset: number, width: Width, into: Uint8Array): void {
    const step = width / 8;
    const piece = BATCH * step;
    for (let at = 0; at < into.length; at += piece) {
      const part = into.subarray(at, at + piece);
      const words = part.length / step;
      this.#readWords(this.#fifoRead(offset, width, words), words, step, part);
    }
  }

  writeFifo(offset: number, width: Width, from: Uint8Array): void {
    const prefix = writePrefix(this.#bus, width, this.#at(offset));
    this.#writeWords(width / 8, from, () => prefix);
  }

  readBlock(offset: number, into: Uint8Array): void {
    for (let at = 0; at < into.length; at += BATCH * 4) {
      const part = into.subarray(at, at + BATCH * 4);
      let text = '';
      for (let byte = 0; byte < part.length; byte += 4)
        text += readCommand(this.#bus, 32, this.#at(offset + at + byte));
      this.#readWords(text, part.length / 4, 4, part);
    }
  }

  writeBlock(offset: number, from: Uint8Array): void {
    this.#writeWords(4, from, (byte) => writePrefix(this.#bus, 32, this.#at(offset + byte)));
  }

  #readWords(commands: string | Buffer, count: number, step: number, into: Uint8Array): void {
    let at = 0;
    this.#qtest.exchange(commands, count, (low) => {
      for (let byte = 0; byte < step; byte++) into[at++] = low >>> (8 * byte);
    });
    into.fill(0xff, at);
  }

  #writeWords(step: number, from: Uint8Array, prefixOf: (byte: number) => string): void {
    const piece = BATCH * step;
    for (let start = 0; start < from.length; start += piece) {
      const end = Math.min(start + piece, from.length);
      let text = '';
      for (let at = start; at < end; at += step) {
        text += prefixOf(at);
        for (let byte = step - 1; byte >= 0; byte--) text += DIGITS[from[at + byte] as number];
        text += '\n';
      }
      if (!this.#qtest.exchange(text, (end - start) / step)) return;
    }
  }

  #fifoRead(offset: number, width: Width, words: number): Buffer {
    const key = `${offset} ${width} ${words}`;
    let text = this.#fifoReads.get(key);
    if (text === undefined) {
      text = Buffer.from(readCommand(this.#bus, width, this.#at(offset)).repeat(words), 'latin1');
      this.#fifoReads.set(key, text);
    }
    return text;
  }

  #read64(offset: number): bigint {
    let value = ALL_ONES_64;
    this.#qtest.exchange(readCommand(this.#bus, 64, this.#at(offset)), 1, (low, high) => {
      value = (BigInt(high) << 32n) | BigInt(low);
    });
    return value;
  }

  #at(offset: number): bigint {
    return this.#base + BigInt(offset);
  }
}

function allOnes(width: Width): number {
  return width === 32 ? 0xffff_ffff : width === 16 ? 0xffff : 0xff;
}
