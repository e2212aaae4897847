import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { createEventFd } from './event-fd.ts';
import { poll } from './poll.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

function eventFd() {
  const event = createEventFd();
  releases.push(() => event.close());
  return event;
}

describe.skipIf(process.platform !== 'linux')('an eventfd', () => {
  it('adds up what was signalled, and is empty after it was taken', () => {
    const event = eventFd();
    expect(event.take()).toBe(0n);
    event.signal();
    event.signal(41n);
    expect(event.take()).toBe(42n);
    expect(event.take()).toBe(0n);
  });

  it('counts in 64 bits', () => {
    const event = eventFd();
    event.signal((1n << 60n) + 1n);
    expect(event.take()).toBe((1n << 60n) + 1n);
  });

  it('closes once: its number may be that of another file afterwards', () => {
    const event = createEventFd();
    event.close();
    const next = eventFd();
    event.close();
    next.signal();
    expect(next.take()).toBe(1n);
  });

  it('leaves a file alone that got its number after it was closed', () => {
    const event = createEventFd();
    event.close();
    const next = eventFd();
    expect(next.fd).toBe(event.fd);
    event.signal(5n);
    expect(next.take()).toBe(0n);
    next.signal();
    expect(event.take()).toBe(0n);
    expect(next.take()).toBe(1n);
  });
});

describe.skipIf(process.platform !== 'linux')('poll', () => {
  it('tells the descriptors that are ready, in their order', () => {
    const [first, second, third] = [eventFd(), eventFd(), eventFd()];
    const fds = [first.fd, second.fd, third.fd];
    expect(poll(fds, 0)).toEqual([]);
    third.signal();
    first.signal();
    expect(poll(fds, -1)).toEqual([
      { fd: first.fd, event: 'readable' },
      { fd: third.fd, event: 'readable' },
    ]);
  });

  it('tells what is broken', () => {
    expect(poll([0x7fff_fff0], -1)).toEqual([{ fd: 0x7fff_fff0, event: 'error' }]);
  });

  it('comes back when the time is over, also with nothing to wait for', () => {
    expect(poll([eventFd().fd], 1)).toEqual([]);
    expect(poll([], 1)).toEqual([]);
  });

  it('blocks a worker until another thread tells it to stop', async () => {
    const [interrupt, stop] = [eventFd(), eventFd()];
    const module = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
    const code = `import { poll } from ${module('./poll.ts')};
      import { readSync } from 'node:fs';
      import { parentPort, workerData } from 'node:worker_threads';
      const { interrupt, stop } = workerData;
      for (let count = 1; ; count++) {
        const ready = poll([interrupt, stop], -1).map(({ fd }) => fd);
        if (ready.includes(stop)) break;
        readSync(interrupt, Buffer.alloc(8));
        parentPort.postMessage(count);
      }`;
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
      workerData: { interrupt: interrupt.fd, stop: stop.fd },
      execArgv: ['--conditions=ring3-source'],
    });
    for (let count = 1; count <= 3; count++) {
      interrupt.signal();
      expect(await once(worker, 'message')).toEqual([count]);
    }
    stop.signal();
    expect(await once(worker, 'exit')).toEqual([0]);
  });
});
