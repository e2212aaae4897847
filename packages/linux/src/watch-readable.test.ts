import { execFileSync } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createEventFd } from './event-fd.ts';
import { errnoOf } from './system-call-error.ts';
import { startScript } from './test-script.ts';
import { socketPair } from './test-sockets.ts';
import { type Watch, type WatchEvent, watchReadable } from './watch-readable.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

function release<T extends { close(): void }>(thing: T): T {
  releases.push(() => thing.close());
  return thing;
}

const eventFd = () => release(createEventFd());

/** Both ends of a FIFO, non-blocking. */
function fifo() {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-watch-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const open = (flags: number) => {
    const fd = openSync(path, flags | constants.O_NONBLOCK);
    let open = true;
    const close = () => {
      if (open) closeSync(fd);
      open = false;
    };
    return release({ fd, close });
  };
  return { reader: open(constants.O_RDONLY), writer: open(constants.O_WRONLY) };
}

/** One character; none at the end, or when an event came once more than there is something to read. */
function take(fd: number): string {
  const byte = Buffer.alloc(1);
  try {
    return byte.toString('latin1', 0, readSync(fd, byte));
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return '';
    throw error;
  }
}

/** Watches, and lets a test wait for a number of events or for what they bring about. */
function record(fd: number, each: (event: WatchEvent, watch: Watch) => void = () => undefined) {
  const events: WatchEvent[] = [];
  let wake: () => void = () => undefined;
  const watch = release(
    watchReadable(fd, (event) => {
      events.push(event);
      each(event, watch);
      wake();
    }),
  );
  async function until(enough: number | (() => boolean)) {
    while (typeof enough === 'number' ? events.length < enough : !enough()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return { watch, events, until };
}

/** Two turns of the loop, in which everything that is ready is reported. */
async function turns(count = 2) {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.skipIf(process.platform !== 'linux')('a watched descriptor', () => {
  it('reports what can be read, as long as it can be read', async () => {
    const { reader, writer } = fifo();
    let text = '';
    const { events, until } = record(reader.fd, () => {
      text += take(reader.fd);
    });
    await turns();
    expect(events).toEqual([]);
    writeSync(writer.fd, 'ab');
    await until(() => text === 'ab');
  });

  it('counts nothing twice where the listener takes all that is there', async () => {
    const event = eventFd();
    let total = 0n;
    const { until } = record(event.fd, () => {
      total += event.take();
    });
    for (let round = 1; round <= 100; round++) {
      event.signal(3n);
      await until(() => total >= BigInt(round) * 3n);
    }
    await turns(4);
    expect(total).toBe(300n);
  });

  it('leaves the thread pool alone: eight watches, and fs.stat and dns.lookup answer', async () => {
    const all = Array.from({ length: 8 }, () => record(eventFd().fd));
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => stat('/')),
      lookup('localhost'),
      lookup('127.0.0.1'),
    ]);
    expect(answers).toHaveLength(10);
    expect(all.flatMap(({ events }) => events)).toEqual([]);
  });

  it('is silent while it is paused and loses nothing', async () => {
    const event = eventFd();
    const { watch, events, until } = record(event.fd, () => event.take());
    watch.pause();
    watch.pause();
    event.signal();
    await turns();
    expect(events).toEqual([]);
    watch.resume();
    watch.resume();
    await until(1);
    expect(event.take()).toBe(0n);
  });

  it('can be paused and resumed by its listener, as for a line that is masked until it is served', async () => {
    const event = eventFd();
    const { watch, events, until } = record(event.fd, (_, own) => own.pause());
    event.signal();
    await until(1);
    await turns(4);
    expect(events).toEqual(['readable']); // Still readable, but nobody wants to know.
    watch.resume();
    await until(2);
  });

  it.each(['close', 'pause'] as const)(
    'can %s all watches in one listener, their events already on the way',
    async (end) => {
      const ready = Array.from({ length: 8 }, () => eventFd());
      const seen: number[] = [];
      const watches = ready.map((event, index) =>
        release(
          watchReadable(event.fd, () => {
            seen.push(index);
            for (const watch of watches) watch[end]();
          }),
        ),
      );
      for (const event of ready) event.signal();
      await turns(4);
      expect(seen).toHaveLength(1);
      for (const event of ready) expect(event.take()).toBe(1n); // The descriptors stay the caller's.
    },
  );

  it('can be watched again after it was closed', async () => {
    const event = eventFd();
    event.signal();
    for (let round = 0; round < 50; round++) {
      const { watch, until, events } = record(event.fd);
      await until(1);
      expect(events[0]).toBe('readable');
      watch.close();
      watch.close();
      watch.resume(); // Too late, and harmless.
    }
  });

  it('says error once when the other end is gone, after all that was written was read', async () => {
    const { reader, writer } = fifo();
    let text = '';
    const { events, until } = record(reader.fd, (event) => {
      if (event === 'readable') text += take(reader.fd);
    });
    writeSync(writer.fd, 'xyz');
    writer.close();
    await until(() => events.includes('error'));
    await turns(4);
    expect(text).toBe('xyz');
    expect(events.indexOf('error')).toBe(events.length - 1);
  });

  it('says error once when a socket is hung up, after all that was sent was read', async () => {
    const [here, there] = socketPair();
    releases.push(() => closeSync(here));
    let text = '';
    const { events, until } = record(here, (event) => {
      if (event === 'readable') text += take(here);
    });
    writeSync(there, 'xyz');
    closeSync(there);
    await until(() => events.includes('error'));
    await turns(4);
    expect(text).toBe('xyz');
    expect(events.indexOf('error')).toBe(events.length - 1);
  });

  it('says error once for an error of the descriptor', async () => {
    const { reader, writer } = fifo();
    const { events, until, watch } = record(writer.fd);
    reader.close(); // A writer without a reader: EPOLLERR.
    await until(1);
    await turns(4);
    watch.resume(); // It failed for good.
    await turns(4);
    expect(events).toEqual(['error']);
  });

  it('refuses what the loop cannot wait for, and what is watched already', () => {
    const file = openSync(process.execPath, 'r');
    releases.push(() => closeSync(file));
    expect(() => watchReadable(file, () => undefined)).toThrow(/uv_poll_init file descriptor \d+: EPERM/);
    expect(() => watchReadable(-1, () => undefined)).toThrow('uv_poll_init file descriptor -1: EBADF');
    const event = eventFd();
    record(event.fd);
    expect(() => watchReadable(event.fd, () => undefined)).toThrow(/EEXIST/);
  });
});

const PRELUDE = `
  import { createEventFd } from './event-fd.ts';
  import { watchReadable } from './watch-readable.ts';
`;

describe.skipIf(process.platform !== 'linux')('a process with watches', () => {
  it('exits at once when it is told to, from within a listener too', async () => {
    const script = startScript(`${PRELUDE}
      const all = Array.from({ length: 8 }, () => createEventFd());
      for (const event of all) watchReadable(event.fd, () => process.exit(7));
      all[3].signal();`);
    expect(await script.ended).toEqual({ code: 7, signal: null, stderr: '' });
  });

  it('lives as long as a watch is open, paused or not, and ends by itself when all are closed', async () => {
    const script = startScript(`${PRELUDE}
      const [first, second] = [createEventFd(), createEventFd()];
      const one = watchReadable(first.fd, () => undefined);
      watchReadable(second.fd, () => undefined).close();
      one.pause();
      process.on('SIGUSR2', () => one.close());
      process.on('exit', () => console.log('by itself'));
      console.log('open');`);
    expect(await script.line()).toBe('open');
    script.child.stdin.end();
    // Had the loop nothing to wait for, the process would have ended: a signal listener does not keep it.
    script.child.kill('SIGUSR2');
    expect(await script.line()).toBe('by itself');
    expect((await script.ended).code).toBe(0);
  });

  it('takes what a listener throws for an uncaught exception', async () => {
    const script = startScript(`${PRELUDE}
      const event = createEventFd();
      const watch = watchReadable(event.fd, () => { event.take(); throw new Error('of the listener'); });
      process.on('uncaughtException', (error) => { console.log(error.message); watch.close(); });
      event.signal();`);
    expect(await script.line()).toBe('of the listener');
    expect((await script.ended).code).toBe(0);
  });

  it('gets a named error in a worker', async () => {
    const inWorker = `import { watchReadable } from '${new URL('./watch-readable.ts', import.meta.url)}';
      import { parentPort } from 'node:worker_threads';
      try { watchReadable(0, () => undefined); } catch (error) { parentPort.postMessage(error.message); }`;
    const script = startScript(
      `import { Worker } from 'node:worker_threads';
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(process.argv[1] ?? '')));
      worker.on('message', (text) => console.log(text));`,
      inWorker,
    );
    expect(await script.line()).toMatch('watchReadable works on the main thread only');
    expect((await script.ended).code).toBe(0);
  });
});
