import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrameStart, FrameReader } from './frame-reader.ts';

/** A frame as docs/service-protocol.md says: two little-endian lengths, JSON, payload. */
function frame(json: string, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(Buffer.byteLength(json), 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, Buffer.from(json), payload]);
}

function setUp(places: (bytes: number) => Uint8Array | undefined = (bytes) => new Uint8Array(bytes)) {
  const frames: [unknown, Uint8Array | undefined][] = [];
  const reader = new FrameReader<unknown>({
    parse: (json) => json,
    place: (_message, bytes) => places(bytes),
    frame: (message, payload) => void frames.push([message, payload]),
  });
  return { reader, frames };
}

describe('the reader of frames', () => {
  it('finds the same frames however the stream is cut', () => {
    const one = fc.record({
      json: fc.record({ type: fc.string(), id: fc.nat() }),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1 }), fc.array(fc.integer({ min: 1, max: 70 })), (sent, cuts) => {
        const { reader, frames } = setUp();
        let rest = Buffer.concat(sent.map(({ json, payload }) => frame(JSON.stringify(json), payload)));
        for (let at = 0; rest.length > 0; at++) {
          const bytes = cuts[at % Math.max(cuts.length, 1)] ?? 1_000_000;
          reader.push(rest.subarray(0, bytes));
          rest = rest.subarray(bytes);
        }
        expect(frames).toEqual(sent.map(({ json, payload }) => [json, payload.length > 0 ? payload : undefined]));
      }),
      { seed: 1 },
    );
  });

  it('reads back what is written', () => {
    const { reader, frames } = setUp();
    reader.push(encodeFrameStart({ type: 'call', text: 'ä €' }, 3));
    reader.push(Buffer.from([1, 2, 3]));
    expect(frames).toEqual([[{ type: 'call', text: 'ä €' }, new Uint8Array([1, 2, 3])]]);
  });

  it('fills the place that it is told, and uses nothing of a chunk after it was pushed', () => {
    const into = new Uint8Array(4);
    const { reader, frames } = setUp(() => into);
    const chunk = frame('{}', new Uint8Array([1, 2, 3, 4]));
    reader.push(chunk);
    chunk.fill(0);
    expect(frames[0]?.[1]).toBe(into);
    expect(into).toEqual(new Uint8Array([1, 2, 3, 4]));
  });

  it('skips a payload that nobody wants', () => {
    const { reader, frames } = setUp(() => undefined);
    reader.push(frame('{"a":1}', new Uint8Array(100)));
    reader.push(frame('{"a":2}'));
    expect(frames).toEqual([
      [{ a: 1 }, undefined],
      [{ a: 2 }, undefined],
    ]);
  });

  it.each([
    ['no JSON', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['more JSON than 256 KiB', [1, 0, 4, 0, 0, 0, 0, 0]],
    ['more payload than 64 MiB', [2, 0, 0, 0, 1, 0, 0, 4]],
    ['an HTTP request', [...Buffer.from('GET / HTTP/1.1\r\n')]],
  ])('refuses %s by its head', (_, bytes) => {
    expect(() => setUp().reader.push(Buffer.from(bytes))).toThrow(expect.objectContaining({ code: 'protocol' }));
  });

  it('refuses what is not JSON', () => {
    expect(() => setUp().reader.push(frame('{"a":'))).toThrow('what is not JSON: "{\\"a\\":"');
  });

  it('sends no frame that it would not read', () => {
    expect(() => encodeFrameStart({ text: 'x'.repeat(300_000) }, 0)).toThrow(RangeError);
    expect(() => encodeFrameStart({}, 64 * 1024 * 1024 + 1)).toThrow(RangeError);
  });
});
