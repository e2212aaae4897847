/** Pure: which command does a job, and which values its task file has. */
import {
  ECHO_TASK_FILES,
  ERROR,
  FEATURE,
  LBA28_END,
  LBA28_MAX_SECTORS,
  LBA48_MAX_SECTORS,
  OPCODE,
} from './registers.ts';

/** How the data of a command moves (ATA/ATAPI-6 9.4 to 9.6). */
export type Protocol = 'non-data' | 'pio-in' | 'pio-out';

/** A command before it is given to a device. */
export interface Command {
  readonly name: string;
  readonly opcode: number;
  readonly protocol: Protocol;
  /** The size of the blocks that move while DRQ is set; the last one may be shorter. */
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

/** What is to be transferred, and what the device can do. */
export interface TransferRequest {
  readonly operation: 'read' | 'write' | 'write-fua';
  readonly lba: number;
  readonly sectors: number;
  readonly sectorBytes: number;
  /** Sectors of a DRQ block as SET MULTIPLE MODE set it; 0 for the plain commands. */
  readonly multiple: number;
  readonly lba48: boolean;
  readonly timeoutUs: number;
}

/** The most sectors of one command. */
export function maxSectors(lba48: boolean): number {
  return lba48 ? LBA48_MAX_SECTORS : LBA28_MAX_SECTORS;
}

/**
 * The command for a transfer: 28 bits where they reach, 48 bits otherwise, never wrapping at 2^28.
 * @throws RangeError for what no command of this device reaches.
 */
export function transferCommand(request: TransferRequest): Command {
  const { operation, lba, sectors, sectorBytes, multiple, lba48, timeoutUs } = request;
  const fits28 = operation !== 'write-fua' && lba + sectors <= LBA28_END && sectors <= LBA28_MAX_SECTORS;
  if (!fits28 && !(lba48 && sectors <= LBA48_MAX_SECTORS && lba + sectors <= 2 ** 48)) {
    throw new RangeError(`${sectors} sectors at ${lba}: no command of this device reaches them`);
  }
  const { name, opcode } = transferOpcode(operation, multiple > 0, !fits28);
  return {
    name,
    opcode,
    protocol: operation === 'read' ? 'pio-in' : 'pio-out',
    drqBlockBytes: Math.max(multiple, 1) * sectorBytes,
    features: 0,
    count: sectors,
    lba,
    addressing: fits28 ? 'lba28' : 'lba48',
    timeoutUs,
  };
}

function transferOpcode(
  operation: TransferRequest['operation'],
  multiple: boolean,
  ext: boolean,
): { name: string; opcode: number } {
  if (operation === 'write-fua') return { name: 'WRITE MULTIPLE FUA EXT', opcode: OPCODE.WRITE_MULTIPLE_FUA_EXT };
  const [plain, plainExt, multi, multiExt] =
    operation === 'read'
      ? [OPCODE.READ_SECTORS, OPCODE.READ_SECTORS_EXT, OPCODE.READ_MULTIPLE, OPCODE.READ_MULTIPLE_EXT]
      : [OPCODE.WRITE_SECTORS, OPCODE.WRITE_SECTORS_EXT, OPCODE.WRITE_MULTIPLE, OPCODE.WRITE_MULTIPLE_EXT];
  const name = `${operation === 'read' ? 'READ' : 'WRITE'} ${multiple ? 'MULTIPLE' : 'SECTORS'}${ext ? ' EXT' : ''}`;
  return { name, opcode: ext ? (multiple ? multiExt : plainExt) : multiple ? multi : plain };
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

/** SET FEATURES: a device that powers up in standby starts to spin. */
export function spinUpCommand(): Command {
  const patience = { timeoutUs: TIMEOUT_US.READ_WRITE };
  return { ...plainCommand('SET FEATURES (spin up)', OPCODE.SET_FEATURES), features: FEATURE.SPIN_UP, ...patience };
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
  if (addressing !== 'lba48') return current;
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

/**
 * The first bad sector of a transfer that the device refused: the address it names, if that is part of the transfer;
 * otherwise the one that was on its way, which is exact for the commands without MULTIPLE.
 */
export function failingSector(
  { protocol, lba, count }: Command,
  failure: { readonly error: number; readonly lba: number | undefined; readonly bytesDone: number },
  sectorBytes: number,
): number | undefined {
  if (protocol === 'non-data') return undefined;
  const named = (failure.error & (ERROR.UNC | ERROR.IDNF)) !== 0 ? failure.lba : undefined;
  if (named !== undefined && named >= lba && named < lba + count) return named;
  const sectorsDone = Math.floor(failure.bytesDone / sectorBytes);
  const current = protocol === 'pio-in' ? sectorsDone : Math.max(sectorsDone - 1, 0);
  return lba + Math.min(current, count - 1);
}
