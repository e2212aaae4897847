/** Pure: what the 256 words of IDENTIFY DEVICE say (ATA/ATAPI-6 8.15; words 105, 106, 117, 118 and 169: ATA8-ACS 7.16). */
import { DeviceError } from '@ring3/core';
import { LBA28_END } from './registers.ts';

/** The length of IDENTIFY data. */
export const IDENTIFY_BYTES = 512;

/** A DMA transfer mode: multiword 0 to 2 or ultra 0 to 6. */
export interface DmaMode {
  readonly kind: 'multiword' | 'ultra';
  readonly mode: number;
}

/** What a disk says of itself. */
export interface DiskIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly sectorCount: number;
  readonly sectorBytes: number;
  readonly lba48: boolean;
  /** The most sectors of a DRQ block of READ/WRITE MULTIPLE, a power of two; 0 when there is none. */
  readonly maxMultiple: number;
  /** What SET MULTIPLE MODE set last; 0 when nothing is set. */
  readonly currentMultiple: number;
  readonly writeCache: { readonly supported: boolean; readonly enabled: boolean };
  readonly flush: boolean;
  readonly flushExt: boolean;
  /** WRITE MULTIPLE FUA EXT and WRITE DMA FUA EXT. */
  readonly fua: boolean;
  /** The DMA mode that is selected; `undefined`: none. */
  readonly dmaMode: DmaMode | undefined;
  /** The most blocks of 512 bytes with ranges to trim that one DATA SET MANAGEMENT takes; 0: it has no TRIM. */
  readonly maxTrimBlocks: number;
  /** Media change bits of the Error register mean something. */
  readonly removable: boolean;
  /** Waits for SET FEATURES before it spins. */
  readonly needsSpinUp: boolean;
  /** The checksum in word 255: absent where the device gives none. */
  readonly checksum: 'right' | 'wrong' | 'absent';
}

/** Words 0 of CompactFlash cards, which look like packet devices otherwise (CFA specification 6.2.1.6.1). */
const COMPACT_FLASH = [0x848a, 0x844a];
const LARGEST_SECTOR_BYTES = 4096;
/** Word 2 when the device needs a SET FEATURES to spin up. */
const SPIN_UP_WORDS = [0x37c8, 0x738c];
const CHECKSUM_SIGNATURE = 0xa5;

/**
 * Decodes IDENTIFY data.
 * @throws DeviceError `unsupported` for what cannot be a disk of ours: nonsense is refused before anything is exported.
 */
export function decodeIdentify(data: Uint8Array): DiskIdentity {
  const words = wordReader(data);
  refuseNonsense(data, words);
  const has = (index: number, bitNumber: number) => ((words(index) >>> bitNumber) & 1) === 1;
  // Words 82 to 84 count when bits 15:14 of word 83 are 01b, words 85 to 87 when those of word 87 are.
  const supportedValid = words(83) >>> 14 === 1;
  const enabledValid = words(87) >>> 14 === 1;
  const supported = (index: number, bitNumber: number) => supportedValid && has(index, bitNumber);
  const enabled = (index: number, bitNumber: number) => enabledValid && has(index, bitNumber);
  const lba48 = supported(83, 10) && (!enabledValid || has(86, 10)) && capacity48(words) > 0;
  const sectorCount = capacity(words, lba48);
  return {
    ...strings(data),
    sectorCount,
    sectorBytes: sectorBytes(words),
    lba48,
    maxMultiple: powerOfTwo(words(47) & 0xff),
    currentMultiple: has(59, 8) ? words(59) & 0xff : 0,
    writeCache: { supported: supported(82, 5), enabled: enabled(85, 5) },
    flush: supported(83, 12),
    flushExt: lba48 && supported(83, 13),
    fua: lba48 && supportedValid && words(84) >>> 14 === 1 && has(84, 6),
    dmaMode: dmaMode(words),
    maxTrimBlocks: lba48 && has(169, 0) ? Math.max(words(105), 1) : 0,
    removable: has(0, 7) && !COMPACT_FLASH.includes(words(0)),
    needsSpinUp: SPIN_UP_WORDS.includes(words(2)),
    checksum: checksum(data),
  };
}

type WordReader = (index: number) => number;

function wordReader(data: Uint8Array): WordReader {
  return (index) => (data[2 * index] ?? 0) | ((data[2 * index + 1] ?? 0) << 8);
}

function refuseNonsense(data: Uint8Array, words: WordReader): void {
  if (data.length !== IDENTIFY_BYTES) throw nonsense(`${data.length} bytes instead of ${IDENTIFY_BYTES}`);
  if (data.every((byte) => byte === data[0])) throw nonsense(`all bytes are ${data[0]}`);
  if (words(0) >>> 15 === 1 && !COMPACT_FLASH.includes(words(0))) throw nonsense('word 0 names a packet device');
  if (((words(49) >>> 9) & 1) === 0) throw nonsense('it knows no LBA (word 49), and cylinders are not supported');
}

function capacity28(words: WordReader): number {
  return words(60) + words(61) * 2 ** 16;
}

function capacity48(words: WordReader): number {
  return words(100) + words(101) * 2 ** 16 + words(102) * 2 ** 32 + words(103) * 2 ** 48;
}

/** The smaller number where the two disagree: no address beyond it is ever tried. */
function capacity(words: WordReader, lba48: boolean): number {
  const short = capacity28(words);
  const long = lba48 ? capacity48(words) : 0;
  const sectors = long === 0 || (short > 0 && short < LBA28_END) ? Math.min(short, long || short) : long;
  if (sectors === 0 || sectors > 2 ** 48) throw nonsense(`${sectors} sectors`);
  return sectors;
}

function sectorBytes(words: WordReader): number {
  const largeSectors = words(106) >>> 14 === 1 && ((words(106) >>> 12) & 1) === 1;
  const bytes = largeSectors ? 2 * (words(117) + words(118) * 2 ** 16) : 512;
  if (bytes < 512 || bytes > LARGEST_SECTOR_BYTES || bytes % 512 !== 0) throw nonsense(`sectors of ${bytes} bytes`);
  return bytes;
}

/** Words 63 and 88: the modes that there are in the low byte, the selected one in the high byte; at most one in both words. */
function dmaMode(words: WordReader): DmaMode | undefined {
  if (((words(49) >>> 8) & 1) === 0) return undefined;
  const valid = (bitNumber: number) => ((words(53) >>> bitNumber) & 1) === 1;
  const ultra = valid(2) ? selected(words(88), 7) : undefined;
  if (ultra !== undefined) return { kind: 'ultra', mode: ultra };
  const multiword = selected(words(63), 3);
  return multiword === undefined ? undefined : { kind: 'multiword', mode: multiword };
}

function selected(word: number, modes: number): number | undefined {
  const bits = (word >>> 8) & (2 ** modes - 1);
  return bits === 0 ? undefined : Math.floor(Math.log2(bits));
}

function strings(data: Uint8Array): { model: string; serial: string; firmware: string } {
  return { serial: text(data, 10, 19), firmware: text(data, 23, 26), model: text(data, 27, 46) };
}

/** Characters come in pairs, the first in the high byte of its word; what is not printable is shown as `?`. */
function text(data: Uint8Array, first: number, last: number): string {
  let characters = '';
  for (let word = first; word <= last; word++) {
    for (const code of [data[2 * word + 1] ?? 0, data[2 * word] ?? 0]) {
      if (code !== 0) characters += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
    }
  }
  return characters.trim();
}

function powerOfTwo(limit: number): number {
  return limit === 0 ? 0 : Math.min(2 ** Math.floor(Math.log2(limit)), 128);
}

function checksum(data: Uint8Array): DiskIdentity['checksum'] {
  if (data[IDENTIFY_BYTES - 2] !== CHECKSUM_SIGNATURE) return 'absent';
  return data.reduce((sum, byte) => (sum + byte) & 0xff, 0) === 0 ? 'right' : 'wrong';
}

function nonsense(what: string): DeviceError {
  return new DeviceError('unsupported', `IDENTIFY DEVICE: ${what}; not used as a disk`);
}
