import { expect, it } from 'vitest';
import { AnswerReader } from './answer-reader.ts';

function reader() {
  const events: string[] = [];
  const made = new AnswerReader((line, level) => events.push(`${line} ${level}`));
  const feed = (text: string) => {
    for (let at = 0; at < text.length; ) {
      const room = made.room();
      const bytes = Math.min(room.length, text.length - at);
      room.write(text.slice(at, at + bytes), 'latin1');
      made.received(bytes);
      at += bytes;
    }
  };
  return { reader: made, events, feed };
}

it.each([
  ['OK\n', 0, 0],
  ['OK 0x0050\n', 0x50, 0],
  ['OK 0xffff\n', 0xffff, 0],
  ['OK 0x00000000fedcba98\n', 0xfedcba98, 0],
  ['OK 0x0123456789abcdef\n', 0x89abcdef, 0x01234567],
  ['OK 0xffffffffffffffff\n', 0xffffffff, 0xffffffff],
])('reads %j', (text, low, high) => {
  const { reader: made, feed } = reader();
  feed(text);
  expect(made.next()).toMatchObject({ ok: true, low, high });
  expect(made.next()).toBeUndefined();
});

it('says that a command was refused, with the words', () => {
  const { reader: made, feed } = reader();
  feed('FAIL Unknown command\n');
  const answer = made.next();
  expect(answer?.ok).toBe(false);
  expect(made.buffer.toString('latin1', answer?.start, answer?.end)).toBe('FAIL Unknown command');
});

it('reports interrupts that stand before, between and behind answers', () => {
  const { reader: made, events, feed } = reader();
  feed('IRQ raise 14\nOK 0x01\nIRQ lower 14\nIRQ raise 3\nOK\nIRQ raise 7\n');
  expect(made.next()?.low).toBe(1);
  expect(events).toEqual(['14 true']);
  expect(made.next()?.ok).toBe(true);
  expect(events).toEqual(['14 true', '14 false', '3 true']);
  expect(made.next()).toBeUndefined();
  expect(events.at(-1)).toBe('7 true');
});

it('waits for the rest of a line, wherever it was cut', () => {
  const text = 'IRQ raise 14\nOK 0x0123456789abcdef\n';
  for (let cut = 1; cut < text.length; cut++) {
    const { reader: made, events, feed } = reader();
    feed(text.slice(0, cut));
    expect(made.next()).toBeUndefined();
    feed(text.slice(cut));
    expect(made.next()).toMatchObject({ low: 0x89ab_cdef, high: 0x0123_4567 });
    expect(events).toEqual(['14 true']);
  }
});

it('goes round its buffer, and has room for an answer that is longer than it', () => {
  const { reader: made, feed } = reader();
  for (let round = 0; round < 8000; round++) {
    feed('OK 0x12');
    expect(made.next()).toBeUndefined();
    feed('34\n');
    expect(made.next()?.low).toBe(0x1234);
  }
  feed(`OK 0x${'a5'.repeat(100_000)}\n`);
  const answer = made.next();
  expect((answer?.end ?? 0) - (answer?.start ?? 0)).toBe(5 + 200_000);
  feed('OK 0x77\n');
  expect(made.next()?.low).toBe(0x77);
});
