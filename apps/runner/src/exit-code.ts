import { type DeviceError, type DeviceErrorCode, isDeviceError } from '@ring3/core';
import type { ConfigError } from '@ring3/rig';
import { DeclinedError, UsageError } from './usage-error.ts';

/** Exit statuses of the command line, after sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  /** A question was answered with no, or what was awaited did not come. */
  negative: 1,
  usage: 64,
  notFound: 69,
  software: 70,
  busy: 75,
  permission: 77,
  config: 78,
} as const;

/** The exit status that fits an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof DeclinedError) return EXIT.negative;
  if (!isDeviceError(error)) return EXIT.software;
  switch (codeOf(error)) {
    case 'busy':
      return EXIT.busy;
    case 'config':
      return EXIT.config;
    case 'not-found':
    case 'gone':
      return EXIT.notFound;
    case 'permission':
      return EXIT.permission;
    default:
      return EXIT.software;
  }
}

/** A configuration that is right, but for a device that is away, in use or forbidden, is no wrong configuration. */
function codeOf(error: DeviceError): DeviceErrorCode {
  const { problems = [] } = error as Partial<ConfigError>;
  const [code, ...others] = new Set(problems.map((problem) => problem.code));
  return code === undefined || others.length > 0 ? error.code : code;
}
