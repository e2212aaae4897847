/**
 * The numbers of the ATA interface as the device sees them, written from the draft ATA/ATAPI-6 (T13/1410D revision 3b),
 * which has registers, commands and protocols in one volume; later drafts keep these numbers. Sections are of that draft.
 */

/** Command block registers by offset; reading and writing reach different registers at 1 and 7. Section 7. */
export const REGISTER = {
  data: 0,
  error: 1,
  features: 1,
  sectorCount: 2,
  lbaLow: 3,
  lbaMid: 4,
  lbaHigh: 5,
  device: 6,
  status: 7,
  command: 7,
} as const;

/** Status register. Section 7.15; bit 4 is what older drafts call DSC, which disks still set. */
export const STATUS = { bsy: 0x80, drdy: 0x40, df: 0x20, dsc: 0x10, drq: 0x08, err: 0x01 } as const;

/** Error register. Section 7.9; bits have other names in other commands: WP is the UNC of a write. */
export const ERROR = {
  unc: 0x40,
  wp: 0x40,
  mc: 0x20,
  idnf: 0x10,
  mcr: 0x08,
  abrt: 0x04,
} as const;

/** Device Control register. Section 7.8. */
export const CONTROL = { hob: 0x80, srst: 0x04, nien: 0x02 } as const;

/** Device register. Section 7.7. */
export const DEVICE = { lba: 0x40, dev: 0x10, address: 0x0f } as const;

/** Interrupt reason, in the place of the sector count of packet commands. Section 8.23. */
export const REASON = { commandData: 0x01, inputOutput: 0x02 } as const;

/** Diagnostic codes in the Error register. Section 8.11, table 26. */
export const DIAGNOSTIC = { passed: 0x01, device1Failed: 0x80 } as const;

/** What reset and diagnostics leave in the registers: device type. Section 9.12. */
export const SIGNATURE = {
  ata: { sectorCount: 0x01, lbaLow: 0x01, lbaMid: 0x00, lbaHigh: 0x00 },
  packet: { sectorCount: 0x01, lbaLow: 0x01, lbaMid: 0x14, lbaHigh: 0xeb },
} as const;

/** Command codes. Section 8, in the order of the codes. */
export const COMMAND = {
  nop: 0x00,
  cfaRequestExtendedError: 0x03,
  dataSetManagement: 0x06,
  deviceReset: 0x08,
  readSectors: 0x20,
  readSectorsNoRetry: 0x21,
  readSectorsExt: 0x24,
  readDmaExt: 0x25,
  readNativeMaxExt: 0x27,
  readMultipleExt: 0x29,
  writeSectors: 0x30,
  writeSectorsNoRetry: 0x31,
  writeSectorsExt: 0x34,
  writeDmaExt: 0x35,
  setMaxExt: 0x37,
  cfaWriteSectorsWithoutErase: 0x38,
  writeMultipleExt: 0x39,
  writeDmaFuaExt: 0x3d,
  readVerify: 0x40,
  readVerifyNoRetry: 0x41,
  readVerifyExt: 0x42,
  cfaTranslateSector: 0x87,
  executeDeviceDiagnostic: 0x90,
  initializeDeviceParameters: 0x91,
  packet: 0xa0,
  identifyPacketDevice: 0xa1,
  cfaEraseSectors: 0xc0,
  readMultiple: 0xc4,
  writeMultiple: 0xc5,
  setMultipleMode: 0xc6,
  readDma: 0xc8,
  readDmaNoRetry: 0xc9,
  writeDma: 0xca,
  writeDmaNoRetry: 0xcb,
  cfaWriteMultipleWithoutErase: 0xcd,
  writeMultipleFuaExt: 0xce,
  standbyImmediate: 0xe0,
  idleImmediate: 0xe1,
  standby: 0xe2,
  idle: 0xe3,
  checkPowerMode: 0xe5,
  sleep: 0xe6,
  flushCache: 0xe7,
  flushCacheExt: 0xea,
  identifyDevice: 0xec,
  setFeatures: 0xef,
  readNativeMax: 0xf8,
  setMax: 0xf9,
} as const;

/** Subcommands of SET FEATURES, in the Features register. Section 8.46. */
export const FEATURE = {
  enable8Bit: 0x01,
  enableWriteCache: 0x02,
  setTransferMode: 0x03,
  disableReadLookAhead: 0x55,
  keepSettings: 0x66,
  disable8Bit: 0x81,
  disableWriteCache: 0x82,
  enableReadLookAhead: 0xaa,
  revertSettings: 0xcc,
} as const;

/** The most sectors that 28-bit commands reach, and that words 60-61 may say. Section 6.2. */
export const LBA28_MAX_SECTORS = 0x0fff_ffff;

/** Bytes of one sector. */
export const SECTOR_BYTES = 512;
