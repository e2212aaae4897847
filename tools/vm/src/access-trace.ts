import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';

/** Accesses between two marks: how many of each kind and width, as in `{ 'read 32': 20000 }`. */
export type AccessCounts = Record<string, number>;

/** A value of the marking register, and everything that was counted from there to the next mark. */
export interface MarkedCounts {
  readonly mark: number;
  readonly counts: AccessCounts;
}

const line = /memory_region_ops_(read|write) cpu -?\d+ mr \S+ addr \S+ value (\S+) size (\d) name '([^']+)'/;

/** Counts the accesses that QEMU writes down (`-trace memory_region_ops_*`) to the devices with these region names. */
export class AccessCounter {
  readonly marked: MarkedCounts[] = [];
  readonly #names: readonly string[];
  readonly #isMark: (value: number) => boolean;
  #counts: AccessCounts = {};
  #rest = '';

  constructor(names: readonly string[], isMark: (value: number) => boolean) {
    this.#names = names.map((name) => `'${name}'`);
    this.#isMark = isMark;
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const one of lines) if (this.#names.some((name) => one.endsWith(name))) this.#count(one);
  }

  #count(text: string): void {
    const [, kind, value = '', size] = line.exec(text) ?? [];
    if (kind === 'write' && this.#isMark(Number(value))) {
      this.#counts = {};
      this.marked.push({ mark: Number(value), counts: this.#counts });
      return;
    }
    const key = `${kind} ${Number(size) * 8}`;
    this.#counts[key] = (this.#counts[key] ?? 0) + 1;
  }
}

const END = 'end of trace\n';

/** A pipe into which QEMU writes its trace: gigabytes go by, none of them to a disk. */
export class TracePipe {
  readonly qemuArguments: readonly string[];
  readonly #path: string;
  readonly #socket: Socket;
  readonly #drained: Promise<void>;

  /** @param counter is given every line, in pieces as they come. */
  constructor(folder: string, counter: { push(text: string): void }) {
    const path = join(folder, 'trace');
    execFileSync('mkfifo', [path]);
    // Opened for both directions, so that opening waits for nobody.
    const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#drained = new Promise((resolve) => {
      this.#socket.setEncoding('latin1').on('data', (chunk: unknown) => {
        const text = String(chunk);
        counter.push(text);
        if (text.endsWith(END)) resolve();
      });
    });
    const events = ['memory_region_ops_read', 'memory_region_ops_write'];
    this.qemuArguments = [...events.flatMap((event) => ['-trace', event]), '-D', path];
    this.#path = path;
  }

  /** Waits until everything that QEMU wrote has been counted. Call it when the machine is off. */
  async finish(): Promise<void> {
    const fd = openSync(this.#path, constants.O_WRONLY);
    writeSync(fd, END);
    closeSync(fd);
    await this.#drained;
    this.#socket.destroy();
  }
}
