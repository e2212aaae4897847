import { LBA28_MAX_SECTORS, SECTOR_BYTES } from './ata-registers.ts';
import { chsCapacity, type Geometry } from './chs-geometry.ts';
import { type DmaMode, modeWord } from './transfer-mode.ts';

/** What a disk says of itself, as far as it depends on the disk. */
export interface DiskIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly sectors: number;
  readonly lba48: boolean;
  readonly fua: boolean;
  readonly compactFlash: boolean;
  readonly dma: boolean;
  readonly trim: 'none' | 'random' | 'deterministic' | 'zero';
  readonly dmaMode: DmaMode | undefined;
  readonly multipleMax: number;
  readonly multiple: number;
  readonly writeCacheEnabled: boolean;
  readonly lookAheadEnabled: boolean;
  readonly physicalSectorBytes: number;
  readonly defaultGeometry: Geometry;
  readonly currentGeometry: Geometry;
  /** Its place on the channel, for the result of the hardware reset. */
  readonly number: 0 | 1;
  readonly hasSlave: boolean;
}

/** The most blocks of ranges that DATA SET MANAGEMENT takes: word 105. */
export const TRIM_BLOCKS_MAX = 8;

/** The 256 words of IDENTIFY DEVICE, as they pass the data register. ATA/ATAPI-6 section 8.15, table 27. */
export function identifyData(disk: DiskIdentity): Uint8Array {
  const words = new Uint16Array(256);
  words[0] = disk.compactFlash ? 0x848a : 0x0040; // An ATA device that is not removable.
  words[2] = 0xc837; // Complete without SET FEATURES: the medium spins up by itself.
  putGeometry(words, disk);
  putText(words, 10, 20, disk.serial);
  putText(words, 23, 8, disk.firmware);
  putText(words, 27, 40, disk.model);
  words[47] = 0x8000 | disk.multipleMax;
  words[49] = 0x2e00 | (disk.dma ? 0x0100 : 0); // Standard standby timer, IORDY (may be switched off), LBA, DMA.
  words[50] = 0x4000;
  words[51] = 0x0200; // PIO mode 2 and less, for old hosts.
  words[53] = 0x0003 | (disk.dma ? 0x0004 : 0); // Words 54-58, 64-70 and 88 are valid.
  if (disk.multiple > 0) words[59] = 0x0100 | disk.multiple;
  if (disk.compactFlash) putCardSize(words, disk.sectors);
  putNumber(words, 60, 2, Math.min(disk.sectors, LBA28_MAX_SECTORS));
  words[64] = 0x0003; // PIO modes 3 and 4.
  putDmaModes(words, disk);
  words[67] = 120;
  words[68] = 120;
  words[80] = disk.trim === 'none' ? 0x00f0 : 0x01f0; // ATA/ATAPI-4 to 7, and ATA8-ACS for TRIM.
  putTrim(words, disk);
  putFeatures(words, disk);
  words[93] = hardwareResetResult(disk);
  if (disk.lba48) putNumber(words, 100, 4, disk.sectors);
  const logicalPerPhysical = disk.physicalSectorBytes / SECTOR_BYTES;
  words[106] = 0x4000 | (logicalPerPhysical > 1 ? 0x2000 | Math.log2(logicalPerPhysical) : 0);
  return withChecksum(words);
}

/** Word 255: signature A5h, and a byte that makes the sum of all bytes zero. Section 8.15. */
export function withChecksum(words: Uint16Array): Uint8Array {
  words[255] = 0x00a5;
  const bytes = littleEndian(words);
  bytes[511] = -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return bytes;
}

/** ASCII with the first character in the high byte of the first word, padded with spaces. Section 8.15. */
export function putText(words: Uint16Array, first: number, length: number, text: string): void {
  const padded = text.slice(0, length).padEnd(length);
  for (let at = 0; at < length; at += 2) {
    words[first + at / 2] = (padded.charCodeAt(at) << 8) | padded.charCodeAt(at + 1);
  }
}

/** The words as the data register delivers them. */
export function littleEndian(words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint16(index * 2, word, true);
  return bytes;
}

function putGeometry(words: Uint16Array, { defaultGeometry, currentGeometry, sectors }: DiskIdentity): void {
  words[1] = defaultGeometry.cylinders;
  words[3] = defaultGeometry.heads;
  words[6] = defaultGeometry.sectorsPerTrack;
  words[54] = currentGeometry.cylinders;
  words[55] = currentGeometry.heads;
  words[56] = currentGeometry.sectorsPerTrack;
  putNumber(words, 57, 2, chsCapacity(currentGeometry, sectors));
}

/** Words 7 and 8 of a CompactFlash card: its size, the upper word first. */
function putCardSize(words: Uint16Array, sectors: number): void {
  words[7] = Math.floor(sectors / 0x1_0000) % 0x1_0000;
  words[8] = sectors % 0x1_0000;
}

/** Words 62 to 66 and 88: single word DMA is gone since ATA-3; 120 ns are the cycle of multiword mode 2. */
function putDmaModes(words: Uint16Array, { dma, dmaMode }: DiskIdentity): void {
  if (!dma) return;
  words[63] = modeWord('multiword', dmaMode);
  words[65] = 120;
  words[66] = 120;
  words[88] = modeWord('ultra', dmaMode);
}

/** Words 69, 105 and 169: ATA8-ACS section 7.16. */
function putTrim(words: Uint16Array, { trim }: DiskIdentity): void {
  if (trim === 'none') return;
  const deterministic = trim === 'random' ? 0 : 0x4000;
  words[69] = deterministic | (trim === 'zero' ? 0x0020 : 0);
  words[105] = TRIM_BLOCKS_MAX;
  words[169] = 0x0001;
}

/** Word 93: 80 wires, number by jumper, diagnostics passed; device 0 says whether it saw device 1. */
function hardwareResetResult({ number, hasSlave }: DiskIdentity): number {
  if (number === 1) return 0x6b00;
  return 0x600b | (hasSlave ? 0x0030 : 0x0040);
}

/** Command sets: supported (82-84) and enabled (85-87). */
function putFeatures(words: Uint16Array, disk: DiskIdentity): void {
  const always = 0x4000 | 0x0400 | 0x0008; // NOP, host protected area, power management.
  words[82] = always | 0x0040 | 0x0020; // Read look-ahead and write cache can be switched.
  words[85] = always | (disk.lookAheadEnabled ? 0x0040 : 0) | (disk.writeCacheEnabled ? 0x0020 : 0);
  const flush = 0x1000 | (disk.lba48 ? 0x2000 | 0x0400 : 0);
  const cfa = disk.compactFlash ? 0x0004 : 0;
  words[83] = 0x4000 | flush | cfa;
  words[86] = flush | cfa;
  const fua = disk.lba48 && disk.fua && disk.dma && disk.multipleMax > 0 ? 0x0040 : 0; // One bit for both commands.
  words[84] = 0x4000 | fua;
  words[87] = 0x4000 | fua;
}

/** A number over several words, the lowest first. */
function putNumber(words: Uint16Array, first: number, count: number, value: number): void {
  for (let word = 0; word < count; word++) words[first + word] = Math.floor(value / 0x1_0000 ** word) % 0x1_0000;
}
