/**
 * Every code that a {@link DeviceError} can carry, with its usual cause and the remedy.
 * The list is closed: `docs/errors.md` documents exactly these, and a test compares the two.
 */
export const DEVICE_ERROR_CODES = {
  busy: {
    cause: 'Someone else holds the device, the address range, the line or the name.',
    remedy: 'Stop the holder that the message names, or choose another device.',
  },
  closed: {
    cause: 'The object was closed or released before this call.',
    remedy: 'Keep the scope open as long as the object is in use.',
  },
  config: {
    cause: 'The configuration asks for something that cannot be.',
    remedy: 'Correct the key that the message names; `ring3 check` lists all of them at once.',
  },
  fault: {
    cause: 'The device itself reported that a command failed.',
    remedy: 'Read the registers in the message; a device that repeats it is defective.',
  },
  gone: {
    cause: 'The device was removed or no longer answers (its registers read all ones).',
    remedy: 'Plug it in again, then stop `ring3 run` and start it anew.',
  },
  media: {
    cause: 'A sector cannot be read or written; the details name the first bad one.',
    remedy: 'Write the sector anew or replace the disk; the other sectors are not affected.',
  },
  'not-found': {
    cause: 'Nothing on this machine matches what was asked for.',
    remedy: 'Compare the selector with what `ring3 devices` lists.',
  },
  permission: {
    cause: 'It exists, but this process may not use it.',
    remedy: 'Grant the permission that the message names.',
  },
  protocol: {
    cause: 'The hardware or a peer broke the protocol that it claims to speak.',
    remedy: 'Report the message with its registers; the driver resets the device by itself.',
  },
  timeout: {
    cause: 'What was awaited did not happen within its deadline.',
    remedy: 'See what was awaited and the last value seen; a longer limit helps only a slow device.',
  },
  unsupported: {
    cause: 'This device or this backend cannot do what was asked.',
    remedy: 'Ask first: descriptions and `info` objects say what is supported.',
  },
} as const;

/** One of the closed list of codes in {@link DEVICE_ERROR_CODES}. */
export type DeviceErrorCode = keyof typeof DEVICE_ERROR_CODES;

/** What a {@link DeviceError} may carry beside its message. */
export interface DeviceErrorOptions {
  /** The error that led to this one. */
  readonly cause?: unknown;
  /** Facts for programs: plain values only, since errors cross process boundaries. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** The one error class for everything that a device, a bus or a claim can do wrong. */
export class DeviceError extends Error {
  override readonly name = 'DeviceError';
  readonly code: DeviceErrorCode;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(code: DeviceErrorCode, message: string, options: DeviceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/**
 * Whether `error` is a {@link DeviceError}, and one with `code` if that is given.
 * Works across two copies of this package, where `instanceof` does not.
 */
export function isDeviceError(error: unknown, code?: DeviceErrorCode): error is DeviceError {
  if (!(error instanceof Error) || error.name !== 'DeviceError' || !('code' in error)) return false;
  return code === undefined || error.code === code;
}
