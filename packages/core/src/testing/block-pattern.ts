/** Content for `count` blocks from `block` on that tells which write (`tag`) and which block each byte belongs to. */
export function pattern(blockSizeBytes: number, block: number, count: number, tag: number): Uint8Array {
  const data = new Uint8Array(count * blockSizeBytes);
  const words = new DataView(data.buffer);
  for (let at = 0; at + 8 <= data.length; at += 8) {
    words.setUint32(at, tag, true);
    words.setUint32(at + 4, (block + Math.floor(at / blockSizeBytes)) >>> 0, true);
  }
  return data;
}
