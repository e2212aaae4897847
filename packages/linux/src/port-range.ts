import { hex } from '@ring3/core';

/** @throws RangeError for a range that is not within the 65536 ports of x86. */
export function checkPortRange(start: number, sizeBytes: number): void {
  const whole = Number.isInteger(start) && Number.isInteger(sizeBytes);
  if (whole && start >= 0 && sizeBytes > 0 && start + sizeBytes <= 0x10000) return;
  throw new RangeError(`${sizeBytes} ports at ${start}: the ports of x86 are 0 to 0xffff`);
}

/** `ports 0x01f0-0x01f7`. */
export function portsName(start: number, sizeBytes: number): string {
  return `ports ${hex(start, 16)}-${hex(start + sizeBytes - 1, 16)}`;
}
