import type { SerialPortHarness } from '@ring3/core/testing';

/** What the suite cannot ask of an end of the line that carries bytes and nothing else. */
export function bytesOnly(reason: string): NonNullable<SerialPortHarness['cannot']> {
  return {
    settings: reason,
    'modem-lines': reason,
    'line-errors': reason,
    break: reason,
    'rts-cts': reason,
    'xon-xoff': reason,
  };
}
