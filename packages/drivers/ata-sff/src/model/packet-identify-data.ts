import { putText, withChecksum } from './identify-data.ts';

/** The 256 words of IDENTIFY PACKET DEVICE of a drive without a medium. ATA/ATAPI-6 section 8.16, table 29. */
export function packetIdentifyData(drive: { model: string; serial: string; firmware: string }): Uint8Array {
  const words = new Uint16Array(256);
  words[0] = 0x8580 | 0x0040; // A packet device, CD-ROM, removable, DRQ within 50 us, packets of 12 bytes.
  putText(words, 10, 20, drive.serial);
  putText(words, 23, 8, drive.firmware);
  putText(words, 27, 40, drive.model);
  words[49] = 0x0a00; // IORDY; bit 9 shall be one; no DMA.
  words[50] = 0x4000;
  words[53] = 0x0002;
  words[64] = 0x0003;
  words[67] = 120;
  words[68] = 120;
  words[80] = 0x00f0;
  words[82] = 0x0210; // DEVICE RESET, PACKET.
  words[83] = 0x4000;
  words[84] = 0x4000;
  words[85] = 0x0210;
  words[87] = 0x4000;
  return withChecksum(words);
}
