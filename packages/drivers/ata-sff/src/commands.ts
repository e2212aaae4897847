/** Pure: commands, and which values their task files have. */
import type { DmaMode } from './identify.ts';
import { ECHO_TASK_FILES, FEATURE, OPCODE, TRANSFER_MODE, TRIM } from './registers.ts';

/** How the data of a command moves (ATA/ATAPI-6 9.4 to 9.7). */
export type Protocol = 'non-data' | 'pio-in' | 'pio-out' | 'dma-in' | 'dma-out';

/** A command before it is given to a device. */
export interface Command {
  readonly name: string;
  readonly opcode: number;
  readonly protocol: Protocol;
  /** The size of the blocks that move while DRQ is set; the last one may be shorter. Nothing for DMA. */
  readonly drqBlockBytes: number;
  readonly features: number;
  /** Sectors for reads and writes, a parameter for others; 256 and 65536 are written as 0. */
  readonly count: number;
  readonly lba: number;
  readonly addressing: 'none' | 'lba28' | 'lba48';
  /** How long the device may stay silent. */
  readonly timeoutUs: number;
}

/** The bytes of a task file. `previous` is what the two-deep registers of a 48-bit device take first. */
export interface TaskFileImage {
  readonly features: number;
  readonly count: number;
  readonly lbaLow: number;
  readonly lbaMid: number;
  readonly lbaHigh: number;
  /** Bits 27:24 of a 28-bit address. */
  readonly lbaTop: number;
  readonly previous?: {
    readonly count: number;
    readonly lbaLow: number;
    readonly lbaMid: number;
    readonly lbaHigh: number;
  };
}

/** Time limits by class of command, those of Linux's libata. */
const TIMEOUT_US = {
  READ_WRITE: 30_000_000,
  FLUSH: 60_000_000,
  /** IDENTIFY inside the error handler, by attempt. */
  IDENTIFY: [5_000_000, 10_000_000, 30_000_000],
  /** Other commands inside the error handler. */
  SETTING: 10_000_000,
} as const;

/** Whether a bus master moves the data of a command. */
export function isDma({ protocol }: Command): boolean {
  return protocol === 'dma-in' || protocol === 'dma-out';
}

/** FLUSH CACHE, or FLUSH CACHE EXT which also names a 48-bit address when it fails. */
export function flushCommand(ext: boolean, timeoutUs: number = TIMEOUT_US.FLUSH): Command {
  return {
    ...plainCommand(ext ? 'FLUSH CACHE EXT' : 'FLUSH CACHE', ext ? OPCODE.FLUSH_CACHE_EXT : OPCODE.FLUSH_CACHE),
    addressing: ext ? 'lba48' : 'lba28',
    timeoutUs,
  };
}

/** IDENTIFY DEVICE, with the patience of the given attempt (0, 1, 2). */
export function identifyCommand(attempt: number): Command {
  return {
    ...plainCommand('IDENTIFY DEVICE', OPCODE.IDENTIFY_DEVICE),
    protocol: 'pio-in',
    timeoutUs: TIMEOUT_US.IDENTIFY[Math.min(attempt, 2)] ?? TIMEOUT_US.IDENTIFY[2],
  };
}

/** SET MULTIPLE MODE. */
export function setMultipleCommand(sectors: number): Command {
  return { ...plainCommand('SET MULTIPLE MODE', OPCODE.SET_MULTIPLE_MODE), count: sectors };
}

/** SET FEATURES: the write cache on or off. */
export function writeCacheCommand(enabled: boolean): Command {
  return {
    ...plainCommand('SET FEATURES (write cache)', OPCODE.SET_FEATURES),
    features: enabled ? FEATURE.ENABLE_WRITE_CACHE : FEATURE.DISABLE_WRITE_CACHE,
  };
}

/** SET FEATURES: the transfer mode of the device; that of the controller stays as it is. */
export function transferModeCommand({ kind, mode }: DmaMode): Command {
  return {
    ...plainCommand('SET FEATURES (transfer mode)', OPCODE.SET_FEATURES),
    features: FEATURE.SET_TRANSFER_MODE,
    count: TRANSFER_MODE[kind] + mode,
  };
}

/** SET FEATURES: a CompactFlash card moves data by 8 bits from now on. */
export function eightBitCommand(): Command {
  return { ...plainCommand('SET FEATURES (8-bit data)', OPCODE.SET_FEATURES), features: FEATURE.ENABLE_8_BIT };
}

/** SET FEATURES: a device that powers up in standby starts to spin. */
export function spinUpCommand(): Command {
  const patience = { timeoutUs: TIMEOUT_US.READ_WRITE };
  return { ...plainCommand('SET FEATURES (spin up)', OPCODE.SET_FEATURES), features: FEATURE.SPIN_UP, ...patience };
}

/** DATA SET MANAGEMENT with TRIM; `blocks`: of 512 bytes, with the ranges. */
export function trimCommand(blocks: number, timeoutUs: number): Command {
  return {
    ...plainCommand('DATA SET MANAGEMENT (TRIM)', OPCODE.DATA_SET_MANAGEMENT),
    protocol: 'dma-out',
    features: TRIM.FEATURE,
    count: blocks,
    addressing: 'lba48',
    timeoutUs,
  };
}

/** Whether a command names ranges in its data, and no sectors in its task file. */
export function isTrim({ opcode }: Command): boolean {
  return opcode === OPCODE.DATA_SET_MANAGEMENT;
}

/** Task files that are never started: for finding out whether a device shows what is written to it. */
export function echoCommands(lba48: boolean): Command[] {
  const plain = plainCommand('echo', OPCODE.IDENTIFY_DEVICE);
  return ECHO_TASK_FILES.map(({ lba, count }) =>
    lba48
      ? { ...plain, lba, count, addressing: 'lba48' }
      : { ...plain, lba: lba % 2 ** 28, count, addressing: 'lba28' },
  );
}

function plainCommand(name: string, opcode: number): Command {
  return {
    name,
    opcode,
    protocol: 'non-data',
    drqBlockBytes: 512,
    features: 0,
    count: 0,
    lba: 0,
    addressing: 'none',
    timeoutUs: TIMEOUT_US.SETTING,
  };
}

/** The bytes of a command's task file. Division instead of shifts: an address has up to 48 bits. */
export function taskFileImage(command: Command): TaskFileImage {
  const { features, count, lba, addressing } = command;
  const byte = (value: number, index: number) => Math.floor(value / 2 ** (8 * index)) % 256;
  const current = {
    features,
    count: byte(count, 0),
    lbaLow: byte(lba, 0),
    lbaMid: byte(lba, 1),
    lbaHigh: byte(lba, 2),
    lbaTop: addressing === 'lba28' ? byte(lba, 3) : 0,
  };
  // A flush takes no address, although it may report one: libata does not load any either.
  if (addressing !== 'lba48' || command.opcode === OPCODE.FLUSH_CACHE_EXT) return current;
  return {
    ...current,
    previous: { count: byte(count, 1), lbaLow: byte(lba, 3), lbaMid: byte(lba, 4), lbaHigh: byte(lba, 5) },
  };
}

/** The address that a task file names: the counterpart of {@link taskFileImage}. */
export function addressOf(image: Omit<TaskFileImage, 'features' | 'count'>): number {
  const { lbaLow, lbaMid, lbaHigh, lbaTop, previous } = image;
  const low = lbaLow + lbaMid * 2 ** 8 + lbaHigh * 2 ** 16;
  if (previous === undefined) return low + lbaTop * 2 ** 24;
  return low + previous.lbaLow * 2 ** 24 + previous.lbaMid * 2 ** 32 + previous.lbaHigh * 2 ** 40;
}
