/** Pure: the data of DATA SET MANAGEMENT with TRIM (ATA8-ACS 7.10). */
import { TRIM } from './registers.ts';

/**
 * The ranges of `sectors` sectors from `lba` on: for each command its data, blocks of 512 bytes, at most `maxBlocks`. What
 * is not used of the last block is zero, which means nothing.
 */
export function* trimData(lba: number, sectors: number, maxBlocks: number): Generator<Uint8Array> {
  const rangesPerBlock = TRIM.BLOCK_BYTES / TRIM.RANGE_BYTES;
  const sectorsPerCommand = maxBlocks * rangesPerBlock * TRIM.MAX_SECTORS_OF_RANGE;
  for (let done = 0; done < sectors; done += sectorsPerCommand) {
    yield oneCommand(lba + done, Math.min(sectors - done, sectorsPerCommand));
  }
}

function oneCommand(lba: number, sectors: number): Uint8Array {
  const ranges = Math.ceil(sectors / TRIM.MAX_SECTORS_OF_RANGE);
  const data = new Uint8Array(Math.ceil((ranges * TRIM.RANGE_BYTES) / TRIM.BLOCK_BYTES) * TRIM.BLOCK_BYTES);
  const view = new DataView(data.buffer);
  for (let range = 0; range < ranges; range++) {
    const start = range * TRIM.MAX_SECTORS_OF_RANGE;
    const length = Math.min(sectors - start, TRIM.MAX_SECTORS_OF_RANGE);
    // 48 bits of address, 16 bits of length.
    view.setBigUint64(range * TRIM.RANGE_BYTES, BigInt(lba + start) | (BigInt(length) << 48n), true);
  }
  return data;
}
