import { once } from 'node:events';
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { afterEach, describe, expect, it } from 'vitest';
import { openPseudoTerminal } from './pseudo-terminal.ts';
import { errnoOf } from './system-call-error.ts';
import { watchReadable } from './watch-readable.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

/** A terminal and a program at its other end. */
function setUp() {
  const terminal = openPseudoTerminal();
  const program = openSync(terminal.path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  releases.push(
    () => terminal.close(),
    () => closeSync(program),
  );
  return { terminal, program };
}

/** What a line discipline would change, echo or take for a signal. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, value) => value);

function read(fd: number): Buffer {
  const bytes = Buffer.alloc(4096);
  return bytes.subarray(0, readSync(fd, bytes));
}

/** A watch may report once more than there is something to read. */
function readAny(fd: number): string {
  try {
    return read(fd).toString();
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return '';
    throw error;
  }
}

describe.skipIf(process.platform !== 'linux')('a pseudo terminal', () => {
  it('passes every byte as it is, both ways, and echoes nothing', () => {
    const { terminal, program } = setUp();
    expect(terminal.path).toMatch(/^\/dev\/pts\/\d+$/);
    writeSync(terminal.master, EVERY_BYTE);
    expect(read(program)).toEqual(Buffer.from(EVERY_BYTE));
    writeSync(program, EVERY_BYTE);
    expect(read(terminal.master)).toEqual(Buffer.from(EVERY_BYTE));
    expect(() => read(terminal.master)).toThrow(/EAGAIN/);
  });

  it('can be watched, while programs come and go at the other end', async () => {
    const terminal = openPseudoTerminal();
    releases.push(() => terminal.close());
    let text = '';
    let wake: () => void = () => undefined;
    const watch = watchReadable(terminal.master, (event) => {
      text += event === 'error' ? 'hung up' : readAny(terminal.master);
      wake();
    });
    releases.push(() => watch.close());
    for (const word of ['first', 'second']) {
      const program = openSync(terminal.path, constants.O_RDWR | constants.O_NOCTTY);
      writeSync(program, word);
      closeSync(program);
      while (!text.endsWith(word)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
    expect(text).toBe('firstsecond');
  });

  it('works as a stream of node:tty, which owns its end', async () => {
    const { terminal, program } = setUp();
    const stream = new ReadStream(terminal.master);
    writeSync(program, 'hello');
    const [data] = await once(stream, 'data');
    expect(String(data)).toBe('hello');
    const closed = once(stream, 'close');
    stream.destroy();
    await closed;
    terminal.close({ master: false });
    expect(() => writeSync(program, 'nobody is there')).toThrow(/EIO/);
  });
});
