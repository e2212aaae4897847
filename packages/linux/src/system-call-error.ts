import { constants } from 'node:os';
import { DeviceError, type DeviceErrorCode, isDeviceError } from '@ring3/core';

// Of two names for one number (EAGAIN, EWOULDBLOCK) the first in the alphabet, which is the one that Node uses.
const NAMES = new Map(
  Object.entries(constants.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

/** `EPERM` for 1; `errno 999` for a number that has no name. */
function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/** A system call that the kernel refused. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  /** `mmap`. */
  readonly call: string;
  readonly errno: number;
  /** `EPERM`, as Node's own errors have it. */
  readonly code: string;
  readonly path: string | undefined;

  constructor(call: string, errno: number, path?: string) {
    const code = errnoName(errno);
    super(`${call}${path === undefined ? '' : ` ${path}`}: ${code}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
    this.path = path;
  }
}

/** The name of the errno in `error`, whether it is a {@link SystemCallError} or one of Node's own; else `undefined`. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}

const CODES: Readonly<Record<string, DeviceErrorCode>> = {
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
  ENOENT: 'not-found',
  ENODEV: 'gone',
  ENXIO: 'gone',
  EIO: 'gone',
  EBUSY: 'busy',
  EAGAIN: 'busy',
  ENOSYS: 'unsupported',
  ENOTSUP: 'unsupported',
};

/**
 * What the kernel refused, as the error that drivers and people know: `what` says what was tried on which device.
 * @param remedies what to do, by the name of the errno; the message ends with it.
 */
export function deviceErrorOf(
  error: unknown,
  what: string,
  remedies: Readonly<Record<string, string>> = {},
): DeviceError {
  const errno = errnoOf(error);
  const remedy = errno === undefined ? undefined : remedies[errno];
  const text = `${what}: ${error instanceof Error ? error.message : String(error)}`;
  const code = isDeviceError(error) ? error.code : CODES[errno ?? ''];
  return new DeviceError(code ?? 'fault', remedy === undefined ? text : `${text}; ${remedy}`, { cause: error });
}
