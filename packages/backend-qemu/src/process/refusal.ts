import { DeviceError, type DeviceErrorCode } from '@ring3/core';
import type { Board } from '../boards/board.ts';

const OPENING: Readonly<Record<string, DeviceErrorCode>> = {
  'No such file or directory': 'not-found',
  'Permission denied': 'permission',
};

/**
 * Why QEMU did not start, from how it ended and what it said: `not-found` when it, setpriv or an image is not there,
 * `busy` when another process has an image, `permission`; else `config` with QEMU's words.
 */
export function refusal(board: Pick<Board, 'program' | 'debianPackage'>, end: string, said: string): DeviceError {
  const { program } = board;
  if (/setpriv ENOENT/.test(end)) {
    return new DeviceError(
      'not-found',
      `setpriv, which starts ${program}, is not installed: apt-get install util-linux`,
    );
  }
  if (/failed to execute/.test(said)) {
    return new DeviceError('not-found', `${program} is not installed: apt-get install ${board.debianPackage}`);
  }
  const [, image] = /Failed to get "[\w ]+" lock.*using the image \[(.*)\]/.exec(said) ?? [];
  if (image !== undefined) {
    const remedy = `close it there, or give each drive an image of its own (fuser ${image} names the process)`;
    return new DeviceError('busy', `the image ${image} is in use by another drive or process: ${remedy}`);
  }
  const [, path, reason = ''] = /Could not open '(.*)': (.*)$/.exec(said) ?? [];
  const code = OPENING[reason];
  if (path !== undefined && code !== undefined) {
    return new DeviceError(code, `${program} cannot open ${path}: ${reason}`);
  }
  return new DeviceError('config', `${program} did not start: it ${end}${said === '' ? '' : `: ${said}`}`);
}
