import { type DeviceErrorCode, isDeviceError } from '@ring3/core';
import { type ERRNO, MAX_STRING_BYTES } from './protocol.ts';

/** The name of an error value that an NBD reply can carry. */
export type NbdErrno = keyof typeof ERRNO;

/**
 * What an NBD client is told for each code of a DeviceError. The protocol has eight error values, so most failures are
 * EIO; ESHUTDOWN asks the client to disconnect, since nothing will work any more. README.md repeats this table, and a
 * test compares the two. ENOTSUP is for fast zeros only (proto.md, "Error values").
 */
export const ERRNO_OF_DEVICE_ERROR: Readonly<Record<DeviceErrorCode, NbdErrno>> = {
  busy: 'EIO',
  closed: 'ESHUTDOWN',
  config: 'EIO',
  fault: 'EIO',
  gone: 'ESHUTDOWN',
  media: 'EIO',
  'not-found': 'EIO',
  permission: 'EPERM',
  protocol: 'EIO',
  timeout: 'EIO',
  unsupported: 'EINVAL',
};

/** Why a request is answered with an error. */
export interface Refusal {
  readonly errno: NbdErrno;
  /** In words, for structured replies. */
  readonly message: string;
  /** The absolute byte at which it failed, where that is known. */
  readonly offset?: number;
}

/** Translates what a device threw; `blockSizeBytes` turns the bad block of a media error into an offset. */
export function refusalOf(error: unknown, blockSizeBytes: number): Refusal {
  if (isDeviceError(error)) {
    const errno = ERRNO_OF_DEVICE_ERROR[error.code] ?? 'EIO';
    const { block } = error.details;
    if (error.code !== 'media' || typeof block !== 'number') return { errno, message: error.message };
    return { errno, message: error.message, offset: block * blockSizeBytes };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { errno: error instanceof RangeError ? 'EINVAL' : 'EIO', message };
}

/** A message as the protocol wants its strings: UTF-8 without NUL, at most 4096 bytes, no character cut in two. */
export function encodeMessage(message: string): Buffer {
  const bytes = Buffer.from(message.replaceAll('\0', ' '), 'utf8');
  if (bytes.length <= MAX_STRING_BYTES) return bytes;
  let end = MAX_STRING_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1; // Not at a continuation byte.
  return bytes.subarray(0, end);
}
