import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeRequest,
  describeRequest,
  encodeErrorChunk,
  encodeSimpleReply,
  type NbdRequest,
  writeDataChunkHeader,
} from './transmission-messages.ts';

const REQUEST: NbdRequest = {
  flags: 1,
  type: 1,
  cookieHigh: 0x01020304,
  cookieLow: 0xf5060708,
  offset: 0x1_0000_1000,
  lengthBytes: 0x2000,
};
const COOKIE = '01020304f5060708';

describe('the messages of the transmission phase', () => {
  test('a request is decoded field by field', () => {
    const bytes = Buffer.from(`25609513 0001 0001 ${COOKIE} 0000000100001000 00002000`.replaceAll(' ', ''), 'hex');
    expect(decodeRequest(bytes)).toEqual(REQUEST);
    bytes[3] = 0x14;
    expect(decodeRequest(bytes)).toBeUndefined();
  });

  test('any offset below 2^53 is exact, and any above it stays above every disk', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (offset) => {
        const bytes = Buffer.alloc(28);
        bytes.writeUInt32BE(0x25609513);
        bytes.writeBigUInt64BE(offset, 16);
        const decoded = decodeRequest(bytes)?.offset ?? Number.NaN;
        if (offset <= Number.MAX_SAFE_INTEGER) expect(BigInt(decoded)).toBe(offset);
        else expect(decoded).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
      }),
    );
  });

  test('a simple reply', () => {
    expect(encodeSimpleReply(REQUEST, 5).toString('hex')).toBe(`6744669800000005${COOKIE}`);
  });

  test.each([
    [true, '0001'],
    [false, '0000'],
  ])('the head of a chunk of data, done: %s', (done, flags) => {
    const head = Buffer.alloc(30);
    writeDataChunkHeader(head, 2, { request: REQUEST, offset: 0x1_0000_1200, lengthBytes: 0x200, done });
    expect(head.toString('hex', 2)).toBe(`668e33ef${flags}0001${COOKIE}000002080000000100001200`);
  });

  test('an error without a place', () => {
    const chunk = encodeErrorChunk(REQUEST, { errno: 'EIO', message: 'oh' });
    expect(chunk.toString('hex')).toBe(
      `668e33ef00018001${COOKIE}00000008000000050002${Buffer.from('oh').toString('hex')}`,
    );
  });

  test.each([
    ['inside', 0x1_0000_1234, '0000000100001234'],
    ['before the request, as the block around its first byte is', 0x1_0000_0e00, '0000000100001000'],
    ['after it', 0x1_0000_3000, '0000000100002fff'],
  ])('an error with a place %s', (_, offset, expected) => {
    const chunk = encodeErrorChunk(REQUEST, { errno: 'EIO', message: '', offset });
    expect(chunk.toString('hex')).toBe(`668e33ef00018002${COOKIE}0000000e000000050000${expected}`);
  });

  test.each([
    [{ ...REQUEST, type: 0 }, 'READ of 8192 bytes at 0x100001000'],
    [{ ...REQUEST, type: 3, offset: 0, lengthBytes: 0 }, 'FLUSH'],
    [{ ...REQUEST, type: 77, offset: 1, lengthBytes: 0 }, 'command 77 of 0 bytes at 0x1'],
  ])('a request in words: %j', (request, words) => {
    expect(describeRequest(request)).toBe(words);
  });
});
