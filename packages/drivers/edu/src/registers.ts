/**
 * The registers of QEMU's edu device in BAR 0, in the order of its datasheet (QEMU, docs/specs/edu.rst, "MMIO area spec").
 * All take 32-bit accesses only. Left out: 0x80 to 0x98, the DMA engine.
 */
import { bit, bits, readOnly, readWrite, writeOnly } from '@ring3/core';

export const EDU_REGISTERS = {
  identification: readOnly(0x00, 32, { DEVICE: bits(15, 0), MINOR: bits(23, 16), MAJOR: bits(31, 24) }),
  /** Reads the complement of what was written. */
  liveness: readWrite(0x04, 32),
  /** Takes n and gives n! back, modulo 2^32, once COMPUTING is clear; what is written before that is lost. */
  factorial: readWrite(0x08, 32),
  status: readWrite(0x20, 32, { COMPUTING: bit(0), IRQFACT: bit(7) }),
  /** Every bit that is set asks for the interrupt: FACT when a factorial is done, the others when they are raised. */
  interruptStatus: readOnly(0x24, 32, { FACT: bit(0), DMA: bit(8) }),
  /** Sets bits of the interrupt status. */
  interruptRaise: writeOnly(0x60, 32),
  /** Clears bits of the interrupt status. */
  interruptAcknowledge: writeOnly(0x64, 32),
} as const;

/** What the identification says in DEVICE: "edu", as far as hexadecimal digits can. */
export const DEVICE_EDU = 0x00ed;
