import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

// An entry of its own (`@ring3/linux/stranger-around`): the start of a rig asks it, and needs nothing else of this package.

/** `S_IWOTH`. */
const WRITABLE_FOR_ALL = 0o002;

/**
 * Who can put a directory of this user aside while something is in it: where everybody may make folders, as in /tmp, the
 * folder around it may be another user's. `undefined`: nobody but root can.
 */
export function strangerAround(directory: string, uid = process.getuid?.()): number | undefined {
  const place = statSync(dirname(dirname(directory)), { throwIfNoEntry: false });
  const parent = lstatSync(dirname(directory), { throwIfNoEntry: false });
  if (place === undefined || parent === undefined || (place.mode & WRITABLE_FOR_ALL) === 0) return undefined;
  return parent.uid === uid || parent.uid === 0 ? undefined : parent.uid;
}
