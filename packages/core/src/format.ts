/** `value` as a person reads a register: lower-case hexadecimal, `0x`, padded to the width in bits. */
export function hex(value: number | bigint, widthBits = 0): string {
  return `0x${value.toString(16).padStart(widthBits / 4, '0')}`;
}

/** A duration for a message: `400 us`, `2.5 ms`, `30 s`. */
export function duration(us: number): string {
  const round = (value: number) => Number(value.toPrecision(3)).toString();
  if (us < 1000) return `${round(us)} us`;
  return us < 1_000_000 ? `${round(us / 1000)} ms` : `${round(us / 1_000_000)} s`;
}
