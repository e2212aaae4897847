import { DEVICE_ERROR_CODES, DeviceError, type DeviceErrorCode, isDeviceError } from '@ring3/core';

/** How an error looks in a frame. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly details?: DeviceError['details'];
}

/**
 * The process behind a proxy is gone or cut off: nobody knows whether the call was done.
 * It is made on the caller's side only and never crosses a socket, so it always means the caller's own connection.
 */
export class ConnectionLostError extends DeviceError {
  constructor(reason: string) {
    super('gone', `the connection was lost: ${reason}`);
  }
}

/** Puts what was thrown into a frame: code, message and details of a DeviceError; class and message of others. */
export function toWireError(error: unknown): WireError {
  if (isDeviceError(error)) {
    return { name: 'DeviceError', message: error.message, code: error.code, details: error.details };
  }
  if (error instanceof RangeError) return { name: 'RangeError', message: error.message };
  if (error instanceof TypeError) return { name: 'TypeError', message: error.message };
  return { name: 'Error', message: error instanceof Error ? error.message : String(error) };
}

/** The error that the other process threw, of the same class. */
export function fromWireError({ name, message, code, details }: WireError): Error {
  if (name === 'DeviceError') {
    return isCode(code)
      ? new DeviceError(code, message, details === undefined ? {} : { details })
      : new DeviceError('fault', `${message} (code ${code}, unknown to this version)`);
  }
  if (name === 'RangeError') return new RangeError(message);
  if (name === 'TypeError') return new TypeError(message);
  return new Error(message);
}

function isCode(code: string | undefined): code is DeviceErrorCode {
  return code !== undefined && Object.hasOwn(DEVICE_ERROR_CODES, code);
}
