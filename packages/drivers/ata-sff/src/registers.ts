/**
 * The registers, commands and signatures of an SFF ATA channel, in the order and words of the datasheet: the ATA/ATAPI-6
 * draft (T13/1410D), for FUA, large sectors and TRIM ATA8-ACS (T13/1699-D), for the bus master SFF-8038i. No other file
 * has an offset, a bit or an opcode.
 */
import { bit, bits, readActs, readOnly, readWrite, write1ToClear, writeOnly } from '@ring3/core';

const STATUS_BITS = {
  ERR: bit(0),
  DRQ: bit(3),
  DSC: bit(4),
  DF: bit(5),
  DRDY: bit(6),
  BSY: bit(7),
};

const ERROR_BITS = {
  ABRT: bit(2),
  /** Media change request. */
  MCR: bit(3),
  IDNF: bit(4),
  /** Media changed. */
  MC: bit(5),
  UNC: bit(6),
  /** The checksum of an Ultra DMA transfer was wrong; something else for commands without DMA. */
  ICRC: bit(7),
};

/** The Command Block registers, selected by CS0-. Error and Features share an offset, so do Status and Command. */
export const COMMAND_BLOCK = {
  data: readActs(readWrite(0, 16), 'takes a word out of the running transfer'),
  error: readOnly(1, 8, ERROR_BITS),
  features: writeOnly(1, 8),
  sectorCount: readWrite(2, 8),
  lbaLow: readWrite(3, 8),
  lbaMid: readWrite(4, 8),
  lbaHigh: readWrite(5, 8),
  /** Bits 7 and 5 are obsolete; devices before ATA-4 want ones there. */
  device: readWrite(6, 8, { LBA27_24: bits(3, 0), DEV: bit(4), OBSOLETE5: bit(5), LBA: bit(6), OBSOLETE7: bit(7) }),
  status: readActs(readOnly(7, 8, STATUS_BITS), 'takes the interrupt back; alternateStatus does not'),
  command: writeOnly(7, 8),
};

const DEVICE_CONTROL_BITS = { nIEN: bit(1), SRST: bit(2), HOB: bit(7) };

/** The Control Block registers, selected by CS1-, where they are: legacy 3F6h is a space of this one byte. */
export function controlLayout(offset: number) {
  return {
    alternateStatus: readOnly(offset, 8, STATUS_BITS),
    deviceControl: writeOnly(offset, 8, DEVICE_CONTROL_BITS),
  };
}

/** Where they are in a space of this size: BAR1 and BAR3 of a native-mode PCI function have four bytes (PCI IDE Controller Specification, 2.4). */
export function controlOffset(sizeBytes: number): number {
  return sizeBytes >= 4 ? 2 : 0;
}

const BUS_MASTER_STATUS_BITS = {
  /** Set by the start bit, cleared behind the last entry of the table or by taking the start bit back. */
  ACTIVE: bit(0),
  /** A transfer to or from memory went wrong. */
  ERROR: write1ToClear(bit(1)),
  /** The device has raised its interrupt, and what it read is in memory. */
  INTERRUPT: write1ToClear(bit(2)),
  /** Set by firmware that has prepared device and controller; the controller itself does nothing with them. */
  DEV0_CAPABLE: bit(5),
  DEV1_CAPABLE: bit(6),
  /** Only one of the two channels may be active at a time. */
  SIMPLEX: bit(7),
};

/** The registers of the bus master for channel 0 or 1 (SFF-8038i, register description). */
export function busMasterLayout(channel: 0 | 1) {
  const base = 8 * channel;
  return {
    command: readWrite(base, 8, { START: bit(0), TO_MEMORY: bit(3) }),
    status: readWrite(base + 2, 8, BUS_MASTER_STATUS_BITS),
    tableAddress: readWrite(base + 4, 32),
  };
}

const BUS_MASTER = busMasterLayout(0);
export const BUS_MASTER_COMMAND = BUS_MASTER.command.mask;
export const BUS_MASTER_STATUS = BUS_MASTER.status.mask;

/** A physical region descriptor: address, then length and end (SFF-8038i). */
export const PRD = {
  BYTES: 8,
  /** Neither the table nor what an entry names may cross a multiple of this. */
  BOUNDARY: 0x1_0000,
  ADDRESS_BITS: 32,
  END: 0x8000_0000,
} as const;

export const STATUS = COMMAND_BLOCK.status.mask;
export const ERROR = COMMAND_BLOCK.error.mask;
export const DEVICE = COMMAND_BLOCK.device.mask;
export const DEVICE_CONTROL = controlLayout(0).deviceControl.mask;

/** What a bus that nothing drives reads. */
export const ALL_ONES = 0xff;

/** Command codes (ATA/ATAPI-6 clause 8; 06h, 3Dh, CEh: ATA8-ACS clause 7). */
export const OPCODE = {
  DATA_SET_MANAGEMENT: 0x06,
  READ_SECTORS: 0x20,
  READ_SECTORS_EXT: 0x24,
  READ_DMA_EXT: 0x25,
  READ_MULTIPLE_EXT: 0x29,
  WRITE_SECTORS: 0x30,
  WRITE_SECTORS_EXT: 0x34,
  WRITE_DMA_EXT: 0x35,
  WRITE_MULTIPLE_EXT: 0x39,
  WRITE_DMA_FUA_EXT: 0x3d,
  EXECUTE_DEVICE_DIAGNOSTIC: 0x90,
  READ_MULTIPLE: 0xc4,
  WRITE_MULTIPLE: 0xc5,
  SET_MULTIPLE_MODE: 0xc6,
  READ_DMA: 0xc8,
  WRITE_DMA: 0xca,
  WRITE_MULTIPLE_FUA_EXT: 0xce,
  FLUSH_CACHE: 0xe7,
  FLUSH_CACHE_EXT: 0xea,
  IDENTIFY_DEVICE: 0xec,
  SET_FEATURES: 0xef,
} as const;

/** Subcommands of SET FEATURES, in the Features register (ATA/ATAPI-6 8.46). */
export const FEATURE = {
  /** CompactFlash: data moves by 8 bits (ATA/ATAPI-6 8.46). */
  ENABLE_8_BIT: 0x01,
  ENABLE_WRITE_CACHE: 0x02,
  /** With a {@link TRANSFER_MODE} in Sector Count. */
  SET_TRANSFER_MODE: 0x03,
  SPIN_UP: 0x07,
  DISABLE_WRITE_CACHE: 0x82,
} as const;

/** Transfer modes of SET FEATURES; the number of the mode is added (ATA/ATAPI-6 8.46). */
export const TRANSFER_MODE = { multiword: 0x20, ultra: 0x40 } as const;

/** DATA SET MANAGEMENT: the Features register says what for, and each range is eight bytes (ATA8-ACS 7.10). */
export const TRIM = {
  FEATURE: 0x01,
  BLOCK_BYTES: 512,
  RANGE_BYTES: 8,
  MAX_SECTORS_OF_RANGE: 0xffff,
} as const;

/** Diagnostic codes in the Error register after a reset (ATA/ATAPI-6 8.11, table 26). */
export const DIAGNOSTIC = {
  FAILED: 0x00,
  PASSED: 0x01,
  /** Device 0 passed, device 1 failed or is not there; seen by device 0. */
  DEVICE_1_FAILED: 0x81,
} as const;

/** What a device leaves in LBA Mid and LBA High after a reset (ATA/ATAPI-6 9.12). */
export const SIGNATURE = {
  ATA: { lbaMid: 0x00, lbaHigh: 0x00 },
  PACKET: { lbaMid: 0x14, lbaHigh: 0xeb },
  /** Serial ATA devices behind a bridge. */
  SATA: { lbaMid: 0x3c, lbaHigh: 0xc3 },
  SATA_PACKET: { lbaMid: 0x69, lbaHigh: 0x96 },
} as const;

/** Sector Count and LBA Low of every signature. */
export const SIGNATURE_COUNT = 0x01;

/** Patterns of the presence test: each the complement of the other. */
export const ECHO = { FIRST: 0x55, SECOND: 0xaa } as const;
/** Addresses and counts with every bit once set and once clear, in both levels of the two-deep registers. */
export const ECHO_TASK_FILES = [
  { lba: 0x55_aa_55_5a_a5_5a, count: 0xa5_5a },
  { lba: 0xaa_55_aa_a5_5a_a5, count: 0x5a_a5 },
] as const;

/** The first address that a 28-bit command cannot reach: words 60-61 of IDENTIFY end there (ATA/ATAPI-6 6.2.1). */
export const LBA28_END = 0x0fff_ffff;
export const LBA28_MAX_SECTORS = 256;
/** The most sectors of one 48-bit command. */
export const LBA48_MAX_SECTORS = 65_536;
