import { expect, it } from 'vitest';
import { encodeFrame, FrameReader } from './frames.ts';

it('puts messages together from whatever pieces arrive', () => {
  const messages = [{ type: 'run', files: new Map([['a', 1]]) }, 'x'.repeat(70_000), undefined];
  const stream = Buffer.concat(messages.map(encodeFrame));
  for (const size of [1, 3, 65_536, stream.length]) {
    const reader = new FrameReader();
    const received: unknown[] = [];
    for (let at = 0; at < stream.length; at += size) received.push(...reader.push(stream.subarray(at, at + size)));
    expect(received).toEqual(messages);
  }
});
