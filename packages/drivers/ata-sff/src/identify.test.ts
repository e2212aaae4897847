import { describe, expect, it } from 'vitest';
import { decodeIdentify } from './identify.ts';

/** IDENTIFY data of an ordinary disk, with some words changed. */
function identifyData(words: Readonly<Record<number, number>> = {}): Uint8Array {
  const data = new Uint8Array(512);
  const all: Record<number, number> = {
    0: 0x0040,
    47: 0x8010,
    49: 0x0200,
    59: 0x0110,
    60: 0xffff,
    61: 0x0fff,
    82: 0x0020,
    83: 0x7400,
    84: 0x4040,
    85: 0x0020,
    86: 0x3400,
    87: 0x4040,
    100: 0x0000,
    101: 0x4000,
  };
  for (const [index, word] of Object.entries({ ...all, ...words }))
    new DataView(data.buffer).setUint16(2 * Number(index), word, true);
  return data;
}

function withText(data: Uint8Array, firstWord: number, text: string): Uint8Array {
  for (let index = 0; index < text.length; index++) data[2 * firstWord + (index ^ 1)] = text.charCodeAt(index);
  return data;
}

function withChecksum(data: Uint8Array, offBy = 0): Uint8Array {
  data[510] = 0xa5;
  data[511] = (offBy - data.slice(0, 511).reduce((sum, byte) => sum + byte, 0)) & 0xff;
  return data;
}

describe('IDENTIFY DEVICE', () => {
  it('says what the disk is', () => {
    const data = withText(withText(identifyData(), 27, 'ACME Spinner 1'.padEnd(40)), 10, '   42-AB'.padEnd(20));
    expect(decodeIdentify(data)).toMatchObject({
      model: 'ACME Spinner 1',
      serial: '42-AB',
      sectorCount: 0x4000_0000,
      sectorBytes: 512,
      lba48: true,
      maxMultiple: 16,
      currentMultiple: 16,
      writeCache: { supported: true, enabled: true },
      flush: true,
      flushExt: true,
      fua: true,
      checksum: 'absent',
    });
  });

  it.each([
    [
      'words 83 without 01b in bits 15:14 say nothing',
      { 83: 0x3400 },
      { lba48: false, flush: false, sectorCount: 0x0fff_ffff },
    ],
    ['words 85 without 01b in bits 15:14 of 87', { 87: 0x8040 }, { writeCache: { supported: true, enabled: false } }],
    ['word 84 bit 6 is FUA', { 84: 0x4000 }, { fua: false }],
    ['no FUA without 48 bits', { 83: 0x7000, 86: 0x3000 }, { fua: false, lba48: false, flushExt: false }],
    ['48-bit capacity of zero', { 101: 0 }, { lba48: false, sectorCount: 0x0fff_ffff }],
    ['a smaller 28-bit capacity wins', { 60: 0x1000, 61: 0 }, { sectorCount: 0x1000 }],
    ['a smaller 48-bit capacity wins', { 100: 0x0800, 101: 0 }, { sectorCount: 0x0800 }],
    ['28 bits only', { 83: 0x5000, 86: 0x1000, 60: 0x5678, 61: 0x0001 }, { lba48: false, sectorCount: 0x1_5678 }],
    ['a multiple that is no power of two', { 47: 0x800d }, { maxMultiple: 8 }],
    ['a multiple beyond what is possible', { 47: 0x80ff }, { maxMultiple: 128 }],
    ['no multiple', { 47: 0x8000, 59: 0 }, { maxMultiple: 0, currentMultiple: 0 }],
    ['a multiple setting that is not valid', { 59: 0x0010 }, { currentMultiple: 0 }],
    ['a CompactFlash card', { 0: 0x848a }, { removable: false, sectorCount: 0x4000_0000 }],
    ['a removable medium', { 0: 0x0080 }, { removable: true }],
    ['power-up in standby', { 2: 0x37c8 }, { needsSpinUp: true }],
    ['logical sectors of 4096 bytes', { 106: 0x5000, 117: 2048 }, { sectorBytes: 4096 }],
    ['eight logical sectors in a physical one', { 106: 0x6003 }, { sectorBytes: 512 }],
    ['word 106 that is not valid', { 106: 0x1000, 117: 2048 }, { sectorBytes: 512 }],
  ])('A23: %s', (_what, words, expected) => {
    expect(decodeIdentify(identifyData(words))).toMatchObject(expected);
  });

  it('A23: checks the checksum where there is one', () => {
    expect(decodeIdentify(withChecksum(identifyData())).checksum).toBe('right');
    expect(decodeIdentify(withChecksum(identifyData(), 1)).checksum).toBe('wrong');
  });

  it('A23: shows what is not printable as a question mark', () => {
    expect(decodeIdentify(withText(identifyData(), 27, 'A\u0001B\u0000')).model).toBe('A?B');
  });

  it.each([
    ['all ones', new Uint8Array(512).fill(0xff), /all bytes are 255/],
    ['all zeros', new Uint8Array(512), /all bytes are 0/],
    ['half a sector', new Uint8Array(256), /256 bytes/],
    ['a packet device', identifyData({ 0: 0x85c0 }), /packet device/],
    ['a disk without LBA', identifyData({ 49: 0 }), /no LBA/],
    ['no sectors', identifyData({ 60: 0, 61: 0, 83: 0x5000 }), /0 sectors/],
    ['sectors of 520 bytes', identifyData({ 106: 0x5000, 117: 260 }), /sectors of 520 bytes/],
    ['sectors of 64 KiB', identifyData({ 106: 0x5000, 117: 0x8000 }), /sectors of 65536 bytes/],
  ])('A23: refuses %s', (_what, data, message) => {
    expect(() => decodeIdentify(data)).toThrow(message);
  });
});
