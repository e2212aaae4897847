import { describe, expect, test } from 'vitest';
import {
  decodeExportQuery,
  decodeOptionHeader,
  encodeExportNameReply,
  encodeGreeting,
  encodeInfoReplies,
  encodeOptionError,
  encodeServerReply,
} from './handshake-messages.ts';

const FACTS = { name: 'disk0', description: 'a disk', sizeBytes: 2 ** 40, preferredBlockBytes: 4096 };
const REPLY = '0003e889045565a9';

function ascii(text: string): string {
  return Buffer.from(text).toString('hex');
}

describe('the messages of the handshake phase', () => {
  test('the greeting offers fixed newstyle and no zeroes', () => {
    expect(encodeGreeting().toString('latin1')).toBe('NBDMAGICIHAVEOPT\0\u0003');
  });

  test('the header of an option', () => {
    const header = Buffer.concat([Buffer.from('IHAVEOPT'), Buffer.from('0000000700000010', 'hex')]);
    expect(decodeOptionHeader(header)).toEqual({ option: 7, lengthBytes: 16 });
    header[0] = 0;
    expect(decodeOptionHeader(header)).toBeUndefined();
  });

  test('an error reply carries its message', () => {
    expect(encodeOptionError(99, 0x80000001, 'no').toString('hex')).toBe(
      `${REPLY}000000638000000100000002${ascii('no')}`,
    );
  });

  test('a line of a list is the name, then the description', () => {
    const expected = `${REPLY}00000003000000020000000f00000005${ascii('disk0a disk')}`;
    expect(encodeServerReply(3, FACTS).toString('hex')).toBe(expected);
  });

  test('the answer to EXPORT_NAME ends in 124 zeroes unless the client can do without', () => {
    expect(encodeExportNameReply(FACTS, 13, true).toString('hex')).toBe('0000010000000000000d');
    expect(encodeExportNameReply(FACTS, 13, false).toString('hex')).toBe(`0000010000000000000d${'00'.repeat(124)}`);
  });

  test('INFO answers what was asked, and the export itself in any case', () => {
    const none = encodeInfoReplies(6, FACTS, 13, { name: '', requests: new Set([77]) });
    expect(none.map((reply) => reply.toString('hex', 12))).toEqual(['000000030000000c00000000010000000000000d']);
    const all = encodeInfoReplies(6, FACTS, 13, { name: '', requests: new Set([0, 1, 2, 3]) });
    expect(all.map((reply) => reply.toString('hex', 20))).toEqual([
      '00000000010000000000000d',
      `0001${ascii('disk0')}`,
      `0002${ascii('a disk')}`,
      '0003000000010000100002000000',
    ]);
    const plain = encodeInfoReplies(6, { ...FACTS, description: '' }, 13, { name: '', requests: new Set([2]) });
    expect(plain).toHaveLength(1);
  });
});

describe('the data of INFO and GO', () => {
  test('is a name and what is asked about it', () => {
    const data = Buffer.from(`00000002${ascii('d0')}000200010003`, 'hex');
    expect(decodeExportQuery(data)).toEqual({ name: 'd0', requests: new Set([1, 3]) });
    expect(decodeExportQuery(Buffer.from('000000000000', 'hex'))).toEqual({ name: '', requests: new Set() });
  });

  test.each([
    ['too short for anything', '0000'],
    ['a name longer than the data', `00000003${ascii('d0')}0000`],
    ['a name of 4 GiB', `ffffffff${ascii('d0')}0000`],
    ['more questions than there are', `00000002${ascii('d0')}00020001`],
    ['bytes that nothing explains', `00000002${ascii('d0')}000000`],
  ])('is refused when it lies: %s', (_, hex) => {
    expect(decodeExportQuery(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});
