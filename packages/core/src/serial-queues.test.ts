import { describe, expect, it } from 'vitest';
import { ReceiveQueue } from './receive-queue.ts';
import { TransmitQueue } from './transmit-queue.ts';

describe('ReceiveQueue', () => {
  it('keeps the order over the end of its ring, and refuses what has no room', async () => {
    const queue = new ReceiveQueue(4);
    const into = new Uint8Array(3);
    const seen: number[] = [];
    for (let byte = 0; byte < 20; byte++) {
      expect(queue.push(byte)).toBe(true);
      if (queue.length < 4) continue;
      expect(queue.push(99)).toBe(false);
      seen.push(...into.subarray(0, await queue.read(into)));
    }
    seen.push(...into.subarray(0, await queue.read(into)));
    expect(seen).toEqual(Array.from({ length: 20 }, (_, byte) => byte));
  });

  it('tells when a reader has taken bytes', async () => {
    let taken = 0;
    const queue = new ReceiveQueue(4, () => taken++);
    const reading = queue.read(new Uint8Array(2));
    queue.push(1);
    expect(taken).toBe(0);
    queue.deliver();
    expect(await reading).toBe(1);
    expect(taken).toBe(1);
  });

  it('lets the others wait on when one read is aborted', async () => {
    const queue = new ReceiveQueue(4);
    const abort = new AbortController();
    const first = queue.read(new Uint8Array(1), { signal: abort.signal });
    const into = new Uint8Array(1);
    const second = queue.read(into);
    abort.abort('enough');
    await expect(first).rejects.toBe('enough');
    queue.push(7);
    queue.deliver();
    expect([await second, into[0]]).toEqual([1, 7]);
  });
});

describe('TransmitQueue', () => {
  it('gives out pieces that stay until they are taken', async () => {
    const queue = new TransmitQueue();
    const writing = queue.write(Uint8Array.of(1, 2, 3));
    expect([...queue.next(2)]).toEqual([1, 2]);
    expect([...queue.next(2)]).toEqual([1, 2]);
    queue.taken(2);
    expect([...queue.next(2)]).toEqual([3]);
    queue.taken(1);
    await writing;
    expect(queue.idle).toBe(true);
  });

  it('says how much of a write was taken when it ends', async () => {
    const queue = new TransmitQueue();
    const writes = [queue.write(Uint8Array.of(1, 2, 3)), queue.write(Uint8Array.of(4))];
    queue.taken(2);
    queue.end('gone', 'unplugged');
    const outcomes = await Promise.allSettled([...writes, queue.write(Uint8Array.of(5))]);
    expect(outcomes).toMatchObject(
      [2, 0, 0].map((written) => ({ reason: { code: 'gone', message: 'unplugged', details: { written } } })),
    );
  });

  it('sends nothing more of a write that was aborted, and all of the next', async () => {
    const queue = new TransmitQueue();
    const abort = new AbortController();
    const first = queue.write(Uint8Array.of(1, 2, 3), { signal: abort.signal });
    const second = queue.write(Uint8Array.of(4));
    const passed = queue.passed();
    queue.taken(1);
    abort.abort('enough');
    await expect(first).rejects.toBe('enough');
    expect([...queue.next(9)]).toEqual([4]);
    queue.taken(1);
    await Promise.all([second, passed]);
  });
});
