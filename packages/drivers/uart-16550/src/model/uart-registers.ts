/**
 * The numbers of the 16550 as the chip sees them, from the PC16550D datasheet (TL/C/8652, June 1995), table II and
 * section 8. Registers by number; two share 0 and 2, and DLAB puts the divisor over 0 and 1.
 */
export const REGISTER = { data: 0, ier: 1, iirFcr: 2, lcr: 3, mcr: 4, lsr: 5, msr: 6, scratch: 7 } as const;

/** Interrupt Enable Register. Section 8.7. */
export const IER = { received: 0x01, transmitterEmpty: 0x02, lineStatus: 0x04, modemStatus: 0x08 } as const;

/** Interrupt Identification Register. Section 8.6, table IV, highest priority first. */
export const IIR = {
  none: 0x01,
  lineStatus: 0x06,
  received: 0x04,
  timeout: 0x0c,
  transmitterEmpty: 0x02,
  modemStatus: 0x00,
} as const;

/** FIFO Control Register. Section 8.5. */
export const FCR = { enable: 0x01, clearReceiver: 0x02, clearTransmitter: 0x04 } as const;

/** Characters in the receiver FIFO that ask for an interrupt, by the upper bits of the FIFO Control Register. */
export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Line Control Register. Section 8.1. */
export const LCR = { dataBits: 0x03, stopBits: 0x04, parity: 0x08, even: 0x10, stick: 0x20, break: 0x40, dlab: 0x80 };

/** Modem Control Register. Section 8.8. */
export const MCR = { dtr: 0x01, rts: 0x02, out1: 0x04, out2: 0x08, loop: 0x10 } as const;

/** Line Status Register. Section 8.4. */
export const LSR = {
  dataReady: 0x01,
  overrun: 0x02,
  parity: 0x04,
  framing: 0x08,
  break: 0x10,
  holdingEmpty: 0x20,
  transmitterEmpty: 0x40,
  errorInFifo: 0x80,
} as const;

/** Modem Status Register. Section 8.9; the deltas are four bits below the lines. */
export const MSR = { cts: 0x10, dsr: 0x20, ri: 0x40, dcd: 0x80 } as const;
