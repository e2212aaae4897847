import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findHeld, locksOf } from './address-locks.ts';
import { findClaimDirectories, provideClaimDirectory } from './claim-directory.ts';
import { readClaimRecords } from './claim-record.ts';
import { strangerAround } from './stranger-around.ts';

function folder(mode = 0o755): string {
  const made = mkdtempSync(join(tmpdir(), 'ring3-claims-'));
  chmodSync(made, mode);
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe.skipIf(process.platform !== 'linux')('the directory of claims', () => {
  const machine = '/nowhere/to/be/found';

  it('is that of the machine for root', () => {
    expect(findClaimDirectories(undefined, { machine, environment: {}, uid: 0 })).toEqual({ own: machine, others: [] });
  });

  it('is that of the machine for everybody who can write it', () => {
    const shared = folder();
    const surroundings = { machine: shared, environment: { XDG_RUNTIME_DIR: '/run/user/7' }, uid: 7 };
    expect(findClaimDirectories(undefined, surroundings).own).toBe(shared);
  });

  it("is the user's own elsewhere; that of the machine, and of the same user without a session, is looked at", () => {
    const session = '/run/user/7/ring3/claims';
    const service = join(tmpdir(), 'ring3-7', 'claims');
    const environment = { XDG_RUNTIME_DIR: '/run/user/7' };
    expect(findClaimDirectories(undefined, { machine, environment, uid: 7 })).toEqual({
      own: session,
      others: [machine, service],
    });
    expect(findClaimDirectories(undefined, { machine, environment: {}, uid: 7 })).toEqual({
      own: service,
      others: [machine, session],
    });
  });

  it('is what RING3_CLAIMS says', () => {
    const environment = { RING3_CLAIMS: '/my/claims' };
    expect(findClaimDirectories(undefined, { machine, environment, uid: 0 }).own).toBe('/my/claims');
  });

  it('is refused where another user has made the folder around it, who could put it aside', () => {
    const own = join(folder(0o1777), 'ring3-user', 'claims');
    mkdirSync(dirname(own));
    if (process.getuid?.() === 0) chownSync(dirname(own), 4242, 4242); // What root makes is nobody's trap.
    const { uid } = statSync(dirname(own));
    expect(strangerAround(own, uid)).toBeUndefined();
    expect(strangerAround(own, uid + 1)).toBe(uid);
    expect(() => provideClaimDirectory({ own, others: [machine] }, uid + 1)).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining(`belongs to user ${uid}`) }),
    );
  });

  it('is not taken for empty where it cannot be looked at', () => {
    const directory = folder();
    const [lock] = locksOf('uart0', [{ kind: 'memory', start: 0n, sizeBytes: 4 }]);
    if (lock === undefined) throw new Error('no lock');
    expect(findHeld(directory, [lock])).toBeUndefined();
    symlinkSync('elsewhere', join(directory, lock.file));
    expect(() => findHeld(directory, [lock])).toThrow(/cannot see who has claimed devices/);
  });

  it.skipIf(process.getuid?.() === 0)('says what to do where it is closed to this user', () => {
    const directory = folder(0o000);
    const locks = locksOf('uart0', []);
    const closed = expect.objectContaining({ code: 'permission', message: expect.stringContaining('into the group') });
    expect(() => findHeld(directory, locks)).toThrow(closed);
    expect(() => readClaimRecords(directory)).toThrow(closed);
  });
});
