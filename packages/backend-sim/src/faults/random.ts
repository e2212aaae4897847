/**
 * A small generator of random numbers, the same on every machine for the same seed: splitmix32, with the finaliser of
 * MurmurHash3. Good enough to choose accesses by, not for cryptography.
 *
 * @param stream makes independent sequences of one seed.
 * @returns a function that returns the next number, 0 <= x < 1.
 */
export function seededRandom(seed: number, stream = 0): () => number {
  let state = (mix(seed | 0) ^ mix(stream + 0x632b_e5ab)) | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    return mix(state) / 2 ** 32;
  };
}

function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
