/** Sectors whose content tells where they come from. */
export function pattern(sectors: number, seed: number): Uint8Array {
  const words = new Uint32Array(sectors * 128);
  for (let index = 0; index < words.length; index++) {
    words[index] = Math.imul(index + 1, 2_654_435_761) ^ Math.imul(seed + (index >>> 7), 16_777_619);
  }
  return new Uint8Array(words.buffer);
}
