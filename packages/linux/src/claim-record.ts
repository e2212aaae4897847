import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { cannotSee } from './claim-directory.ts';
import { type HeldClaim, parseClaim, printClaim } from './claim-text.ts';
import { lockRange, rangeHolder } from './lock-range.ts';
import { errnoOf } from './system-call-error.ts';

/** A record in the directory of claims, with the lock that says that its writer lives. */
export interface ClaimRecord {
  remove(): void;
}

const SUFFIX = '.claim';
const CREATE = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
/** Others may write the directory: a name in it may be a link, or a pipe that makes the opener wait. */
const WARY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

// Bytes of a record that are locked: its writer has both, who tidies up the second only. So nobody takes the record of
// the dead for one of the living while it is removed, and nobody removes one that is being made.
const LIVES = 0n;
const TIDIES = 1n;

/** Writes who holds what. The record counts as long as this process lives, and not a moment longer. */
export function writeClaimRecord(directory: string, mode: number, claim: HeldClaim): ClaimRecord {
  for (;;) {
    const path = join(directory, `${process.pid}-${crypto.randomUUID()}${SUFFIX}`);
    const fd = openSync(path, CREATE, mode);
    try {
      fchmodSync(fd, mode);
      if (!isOurs(fd)) {
        closeSync(fd);
        continue;
      }
      writeSync(fd, printClaim(claim));
    } catch (error) {
      removeRecord(path, fd);
      throw error;
    }
    return { remove: () => removeRecord(path, fd) };
  }
}

/**
 * The records in a directory whose writers live; what the dead left is removed where this process may.
 * @throws DeviceError `permission` where the directory is closed to this process.
 */
export function readClaimRecords(directory: string): HeldClaim[] {
  const records = namesIn(directory).filter((name) => name.endsWith(SUFFIX));
  return records.flatMap((name) => readRecord(join(directory, name)) ?? []);
}

function readRecord(path: string): HeldClaim | undefined {
  const fd = openIfThere(path, constants.O_RDONLY);
  if (fd === undefined) return undefined;
  try {
    if (rangeHolder(fd, LIVES, 1n) !== undefined) return parseClaim(readFileSync(fd, 'utf8'));
  } finally {
    closeSync(fd);
  }
  removeStale(path);
  return undefined;
}

/** Who cleans up may have found the file before it was locked: the lock counts only on a file that is still there. */
function isOurs(fd: number): boolean {
  return lockRange(fd, LIVES, 2n) && fstatSync(fd).nlink > 0;
}

function removeStale(path: string): void {
  const fd = openIfThere(path, constants.O_RDWR);
  if (fd === undefined) return;
  if (lockRange(fd, TIDIES, 1n)) removeRecord(path, fd);
  else closeSync(fd);
}

function removeRecord(path: string, fd: number): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody has tidied up, or it is not ours to tidy: without its lock the record counts for nobody.
  }
  closeSync(fd);
}

function openIfThere(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags | WARY);
  } catch {
    return undefined;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw cannotSee(error);
  }
}
