import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeviceError } from '@ring3/core';
import { strangerAround } from './stranger-around.ts';
import { deviceErrorOf, errnoOf } from './system-call-error.ts';

/** Where the claims of a machine are, seen from this process. */
export interface ClaimDirectories {
  /** Where this process claims; everybody who shall be refused has to look there. */
  readonly own: string;
  /** Where others claim, or this user in other surroundings, that this process cannot join, but respects. */
  readonly others: readonly string[];
}

/** What decides where claims are; a test has its own. */
export interface ClaimSurroundings {
  /** The directory of the whole machine. */
  readonly machine: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
}

const READ_AND_WRITE = constants.R_OK | constants.W_OK | constants.X_OK;
const REMEDY =
  'let root make it once for a group: install -d -m 2775 -g GROUP DIRECTORY, or name another one with RING3_CLAIMS';

function here(): ClaimSurroundings {
  return { machine: '/run/ring3/claims', environment: process.env, uid: process.getuid?.() ?? 0 };
}

/**
 * Where claims are kept: `RING3_CLAIMS`, or the directory of the machine where this process may write it, else one of
 * the user's own below `XDG_RUNTIME_DIR` or the folder for temporary files.
 */
export function findClaimDirectories(
  configured?: string,
  { machine, environment, uid }: ClaimSurroundings = here(),
): ClaimDirectories {
  const named = configured ?? nonEmpty(environment['RING3_CLAIMS']);
  if (named !== undefined) return { own: named, others: [] };
  if (uid === 0 || isUsable(machine)) return { own: machine, others: [] };
  const runtime = nonEmpty(environment['XDG_RUNTIME_DIR']);
  const usual = join('/run/user', String(uid), 'ring3', 'claims');
  const temporary = join(tmpdir(), `ring3-${uid}`, 'claims');
  const own = runtime === undefined ? temporary : join(runtime, 'ring3', 'claims');
  // A service or a cron job of this user has no XDG_RUNTIME_DIR, a session has one.
  return { own, others: [machine, usual, temporary].filter((directory) => directory !== own) };
}

/**
 * Makes the directory if it is not there.
 * @throws DeviceError `permission` when this process cannot write it, or when it belongs to another user than expected.
 */
export function provideClaimDirectory({ own, others }: ClaimDirectories, uid = process.getuid?.()): void {
  try {
    makeDirectory(own);
    accessSync(own, READ_AND_WRITE);
  } catch (error) {
    const remedies = { EACCES: REMEDY, EPERM: REMEDY, EROFS: REMEDY };
    throw deviceErrorOf(error, `cannot keep claims in ${own}`, remedies);
  }
  // Only the fallback for this user alone can lie where everybody may make folders.
  if (others.length === 0 || uid === undefined) return;
  const owner = strangerAround(own, uid) ?? statSync(own).uid;
  if (owner === uid) return;
  throw new DeviceError('permission', `${dirname(own)} belongs to user ${owner}, this is user ${uid}: ${REMEDY}`);
}

/** Claims that are hidden from this process: they are not known, which is not free. */
export function cannotSee(error: unknown): DeviceError {
  const remedy = 'let root put this user into the group of that directory, or make it readable for all';
  return deviceErrorOf(error, 'cannot see who has claimed devices of this machine', { EACCES: remedy });
}

/** Not `recursive`: that never ends where the file system answers ENOENT for a name that cannot be, as /proc does. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error; // Two at once.
  }
}

/** Looks without making anything. */
function isUsable(directory: string): boolean {
  return isWritable(existsSync(directory) ? directory : dirname(directory));
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, READ_AND_WRITE);
    return true;
  } catch {
    return false;
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
