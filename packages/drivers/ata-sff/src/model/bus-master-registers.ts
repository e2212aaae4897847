/**
 * The registers of a bus master IDE controller, from "Programming Interface for Bus Master IDE Controller" 1.0 (SFF-8038i)
 * section 2; the second channel has the same 8 bytes higher.
 */
export const BUS_MASTER = { command: 0, status: 2, table: 4, tableEnd: 8, channelBytes: 8, sizeBytes: 16 } as const;

/** Command register: section 2.1. */
export const BM_COMMAND = { start: 0x01, toMemory: 0x08 } as const;

/** Status register: section 2.2. */
export const BM_STATUS = {
  active: 0x01,
  error: 0x02,
  interrupt: 0x04,
  device0Capable: 0x20,
  device1Capable: 0x40,
  simplex: 0x80,
} as const;
