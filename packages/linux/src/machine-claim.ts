import { statSync } from 'node:fs';
import { type DeviceClaim, DeviceError } from '@ring3/core';
import { findHeld, HeldLocks, type Lock, locksOf } from './address-locks.ts';
import { type ClaimDirectories, findClaimDirectories, provideClaimDirectory } from './claim-directory.ts';
import { type ClaimRecord, readClaimRecords, writeClaimRecord } from './claim-record.ts';
import type { ClaimedRange, HeldClaim } from './claim-text.ts';
import { strangerAround } from './stranger-around.ts';
import { deviceErrorOf } from './system-call-error.ts';

/** What {@link claimMachine} claims, for whom. */
export interface ClaimOptions {
  /**
   * Where the claims of the machine are kept. Default: `RING3_CLAIMS`, else `/run/ring3/claims` where this process may
   * write it, else `$XDG_RUNTIME_DIR/ring3/claims`, else `ring3-UID/claims` in the folder for temporary files.
   */
  readonly directory?: string;
  /** Who is named to those who are refused: `demo.yaml: ata0`. */
  readonly holder: string;
  /** How the backend names the device; what is claimed when it has no addresses. */
  readonly device: string;
  readonly ranges: readonly ClaimedRange[];
}

/** Addresses that no other claim of this machine can have, until {@link release} or the end of this process. */
export interface MachineClaim extends DeviceClaim {
  release(): void;
}

const S_ISVTX = 0o1000;

/** A claim that is made at this moment has its locks, but no record yet. */
const PATIENCE = { tries: 20, pauseMs: 5 } as const;

/**
 * Claims addresses of the machine, all of them or none, against every other process and every other claim of this one.
 * The kernel gives them back when the process ends, however it ends; children do not inherit them.
 * @throws DeviceError `busy` that names the holder; `permission` where the directory cannot be written, or the claims
 *   of others cannot be seen; `unsupported` for addresses above 2^63-1.
 */
export function claimMachine({ directory, holder, device, ranges }: ClaimOptions): MachineClaim {
  const locks = locksOf(device, ranges);
  const directories = findClaimDirectories(directory);
  provideClaimDirectory(directories);
  const claim: HeldClaim = { holder, pid: process.pid, device, ranges };
  try {
    for (let tries = 1; ; tries++) {
      const taken = take(directories, locks, claim);
      if ('release' in taken) return taken;
      const owner = findOwner(directories, claim);
      if (owner !== undefined || tries === PATIENCE.tries) throw refusal(holder, taken, owner);
      pause(PATIENCE.pauseMs);
    }
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw deviceErrorOf(error, `${holder}: cannot claim ${device} in ${directories.own}`);
  }
}

/** The claims that live processes hold now. What the dead left is removed on the way. */
export function listClaims(directory?: string): HeldClaim[] {
  const { own, others } = findClaimDirectories(directory);
  return [own, ...trusted(others)].flatMap(readClaimRecords);
}

/** Without those in which a stranger could keep this user from everything. */
function trusted(directories: readonly string[]): readonly string[] {
  return directories.filter((directory) => strangerAround(directory) === undefined);
}

/** A lock that somebody else has. */
interface TakenLock extends Lock {
  readonly directory: string;
}

function take({ own, others }: ClaimDirectories, locks: readonly Lock[], claim: HeldClaim): MachineClaim | TakenLock {
  // Files are shared with whom the directory is shared. Sticky, so that systemd-tmpfiles(8) leaves old ones in /tmp alone:
  // a lock on a file that is gone keeps nobody off.
  const mode = (statSync(own).mode & 0o666) | S_ISVTX;
  const held = new HeldLocks(own, mode);
  try {
    const refused = held.take(locks);
    const taken = refused === undefined ? firstHeld(trusted(others), locks) : { ...refused, directory: own };
    if (taken === undefined) return holding(held, writeClaimRecord(own, mode, claim));
    held.release();
    return taken;
  } catch (error) {
    held.release();
    throw error;
  }
}

function holding(locks: HeldLocks, record: ClaimRecord): MachineClaim {
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      record.remove();
      locks.release();
    },
  };
}

function firstHeld(directories: readonly string[], locks: readonly Lock[]): TakenLock | undefined {
  for (const directory of directories) {
    const held = findHeld(directory, locks);
    if (held !== undefined) return { ...held, directory };
  }
  return undefined;
}

function findOwner({ own, others }: ClaimDirectories, claim: HeldClaim): HeldClaim | undefined {
  return [own, ...trusted(others)].flatMap(readClaimRecords).find((other) => isSame(claim, other));
}

function isSame(a: HeldClaim, b: HeldClaim): boolean {
  if (a.ranges.length === 0) return b.ranges.length === 0 && a.device === b.device;
  return a.ranges.some((range) => b.ranges.some((other) => overlap(range, other)));
}

function overlap(a: ClaimedRange, b: ClaimedRange): boolean {
  return a.kind === b.kind && a.start < b.start + BigInt(b.sizeBytes) && b.start < a.start + BigInt(a.sizeBytes);
}

function refusal(holder: string, { what, file, directory }: TakenLock, owner: HeldClaim | undefined): DeviceError {
  if (owner === undefined) {
    return new DeviceError(
      'busy',
      `${holder} cannot have ${what}: a process that left no record of it holds a lock on ${directory}/${file}; \`lsof ${directory}/${file}\` names it`,
    );
  }
  const who = owner.pid === process.pid ? 'this process' : `process ${owner.pid}`;
  return new DeviceError(
    'busy',
    `${holder} cannot have ${what}: ${owner.holder} (${who}) holds ${owner.device}; stop it first, \`ring3 claims\` shows all`,
    { details: { holder: owner.holder, pid: owner.pid, device: owner.device } },
  );
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
