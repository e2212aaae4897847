/** `value` as a person reads a register: lower-case hexadecimal, `0x`, padded to the width in bits. */
export function hex(value: number | bigint, widthBits = 0): string {
  if (value < 0) return `-${hex(-value, widthBits)}`;
  return `0x${value.toString(16).padStart(widthBits / 4, '0')}`;
}

/** A duration for a message: `400 us`, `2.5 ms`, `30 s`. */
export function duration(us: number): string {
  const rounded = Number(us.toPrecision(3));
  if (rounded < 1000) return `${rounded} us`;
  return rounded < 1_000_000 ? `${rounded / 1000} ms` : `${rounded / 1_000_000} s`;
}
