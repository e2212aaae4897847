/**
 * The registers of the 16550 in the order of the PC16550D datasheet (TL/C/8652, June 1995), table II; sections are of
 * its chapter 8. No other file has an offset or a bit.
 */
import { bit, bits, readActs, readOnly, readWrite, type Width, writeOnly } from '@ring3/core';

/** 8.7: which events interrupt. */
const INTERRUPT_ENABLE = { ERBFI: bit(0), ETBEI: bit(1), ELSI: bit(2), EDSSI: bit(3) };
/** 8.6: `PENDING` is active low. */
const INTERRUPT_IDENTIFICATION = { NONE_PENDING: bit(0), ID: bits(3, 1), FIFOS: bits(7, 6) };
/** 8.5 */
const FIFO_CONTROL = { ENABLE: bit(0), CLEAR_RECEIVER: bit(1), CLEAR_TRANSMITTER: bit(2), TRIGGER: bits(7, 6) };
/** 8.1 */
const LINE_CONTROL = {
  WORD_LENGTH: bits(1, 0),
  STOP_BITS: bit(2),
  PARITY_ENABLE: bit(3),
  EVEN_PARITY: bit(4),
  STICK_PARITY: bit(5),
  SET_BREAK: bit(6),
  DLAB: bit(7),
};
/** 8.8 */
const MODEM_CONTROL = { DTR: bit(0), RTS: bit(1), OUT1: bit(2), OUT2: bit(3), LOOP: bit(4) };
/** 8.4 */
const LINE_STATUS = {
  DR: bit(0),
  OE: bit(1),
  PE: bit(2),
  FE: bit(3),
  BI: bit(4),
  THRE: bit(5),
  TEMT: bit(6),
  FIFO_ERROR: bit(7),
};
/** 8.9 */
const MODEM_STATUS = {
  DCTS: bit(0),
  DDSR: bit(1),
  TERI: bit(2),
  DDCD: bit(3),
  CTS: bit(4),
  DSR: bit(5),
  RI: bit(6),
  DCD: bit(7),
};

/** The eight places, for registers of this width; which of two at one place is meant says DLAB or the direction. */
export function uartRegisters(width: Width) {
  return {
    receiverBuffer: readActs(readOnly(0, width), 'takes the character out of the FIFO'),
    transmitterHolding: writeOnly(0, width),
    interruptEnable: readWrite(1, width, INTERRUPT_ENABLE),
    interruptIdentification: readActs(readOnly(2, width, INTERRUPT_IDENTIFICATION), 'takes a transmit interrupt back'),
    fifoControl: writeOnly(2, width, FIFO_CONTROL),
    lineControl: readWrite(3, width, LINE_CONTROL),
    modemControl: readWrite(4, width, MODEM_CONTROL),
    lineStatus: readActs(readOnly(5, width, LINE_STATUS), 'clears the errors'),
    modemStatus: readActs(readOnly(6, width, MODEM_STATUS), 'clears the changes'),
    scratch: readWrite(7, width),
    /** With DLAB = 1, as the next. */
    divisorLow: readWrite(0, width),
    divisorHigh: readWrite(1, width),
  };
}

const REGISTERS = uartRegisters(8);

export const IER = REGISTERS.interruptEnable.mask;
export const IIR = REGISTERS.interruptIdentification.mask;
export const FCR = REGISTERS.fifoControl.mask;
export const LCR = REGISTERS.lineControl.mask;
export const MCR = REGISTERS.modemControl.mask;
export const LSR = REGISTERS.lineStatus.mask;
export const MSR = REGISTERS.modemStatus.mask;

/** The line status, for messages. */
export const LINE_STATUS_REGISTER = REGISTERS.lineStatus;

/** Values of `ID` in place (8.6, table IV), highest priority first. */
export const INTERRUPT = {
  LINE_STATUS: 0x06,
  RECEIVED: 0x04,
  TIMEOUT: 0x0c,
  TRANSMITTER_EMPTY: 0x02,
  MODEM_STATUS: 0x00,
} as const;

/** Values of `FIFOS` in place after FCR0 was set: which member of the family it is. */
export const FIFOS = { NONE: 0x00, UNUSABLE: 0x80, WORKING: 0xc0 } as const;

/** Receiver trigger levels, in the order of the codes of FCR7-6 (8.5). */
export const TRIGGER_LEVELS = [1, 4, 8, 14] as const;

/** Characters in each FIFO of a 16550A. */
export const FIFO_BYTES = 16;

/** What nobody drives reads. */
export const ALL_ONES = 0xff;

/** The largest divisor of the baud generator (8.3). */
export const DIVISOR_MAX = 0xffff;

/** XON and XOFF of ISO 646: DC1 and DC3. */
export const XON = 0x11;
export const XOFF = 0x13;

/** Patterns of presence test and self test. */
export const PATTERNS = [0x55, 0xaa, 0x00, 0xff] as const;
