import { DeviceError, type DeviceErrorCode, describeValue } from '@ring3/core';
import { type Command, isTrim } from './commands.ts';
import { COMMAND_BLOCK } from './registers.ts';

/**
 * How a command can fail. `error` and `fault`: the device says so itself (ERR, DF). `timeout`: it says nothing.
 * `protocol`: it broke the host state machine. `bus`: data did not come through between device and memory, which says
 * nothing of the disk. `gone`: nothing drives the bus any more.
 */
export type FailureKind = 'error' | 'fault' | 'timeout' | 'protocol' | 'bus' | 'gone';

/** A command that failed, with the registers as they were. */
export interface Failure {
  readonly kind: FailureKind;
  /** In words, registers included. */
  readonly words: string;
  readonly status: number;
  /** The Error register; 0 where the device did not set ERR. */
  readonly error: number;
  /** The address in the task file, where the device left one. */
  readonly lba: number | undefined;
  /** LBA Mid and LBA High: a packet device leaves its signature when it refuses IDENTIFY DEVICE. */
  readonly signature: { readonly lbaMid: number; readonly lbaHigh: number } | undefined;
  /** How much data had moved. */
  readonly bytesDone: number;
  /** BSY or DRQ stayed: only a reset helps. */
  readonly stuck: boolean;
}

/** How a command ended. */
export interface Outcome {
  readonly failure: Failure | undefined;
  /**
   * Whether the device was seen to take the command; a command without data can end before anyone looks. An interrupt
   * is no proof: it may be another device's, or nobody's.
   */
  readonly begun: boolean;
}

/** `READ SECTORS of 8 sectors at 100`. */
export function describeCommand(command: Command): string {
  if (command.addressing === 'none' || command.protocol === 'non-data' || isTrim(command)) return command.name;
  return `${command.name} of ${command.count} sectors at ${command.lba}`;
}

/** `status 0x51 (ERR DSC DRDY), error 0x40 (UNC)`. */
export function describeRegisters(status: number, error = 0): string {
  const shown = `status ${describeValue(COMMAND_BLOCK.status, status)}`;
  return error === 0 ? shown : `${shown}, error ${describeValue(COMMAND_BLOCK.error, error)}`;
}

/** A failure without an address. */
export function failure(kind: FailureKind, words: string, status: number, details: Partial<Failure> = {}): Failure {
  return {
    kind,
    words,
    status,
    error: 0,
    lba: undefined,
    signature: undefined,
    bytesDone: 0,
    stuck: false,
    ...details,
  };
}

/** The codes of the contract of BlockDevice: a broken protocol is a fault of the device there. */
const CODES: Readonly<Record<FailureKind, DeviceErrorCode>> = {
  error: 'fault',
  fault: 'fault',
  timeout: 'timeout',
  protocol: 'fault',
  bus: 'fault',
  gone: 'gone',
};

/** The error for the caller of a block device. */
export function failureToError(disk: string, { kind, words, status, error }: Failure, block?: number): DeviceError {
  if (kind === 'error' && block !== undefined) {
    const message = `${disk}: block ${block} cannot be transferred: ${words}`;
    return new DeviceError('media', message, { details: { block, status, error } });
  }
  return new DeviceError(CODES[kind], `${disk}: ${words}`, { details: { status, error } });
}
