import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { provideRuntimeDirectory } from './runtime-directory.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A folder for temporary files, for the user of this number. */
function temporaryOf(uid: number): string {
  const place = mkdtempSync(join(tmpdir(), 'ring3-runtime-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  chmodSync(place, 0o1777);
  vi.stubEnv('TMPDIR', place);
  vi.stubEnv('XDG_RUNTIME_DIR', '');
  vi.spyOn(process, 'getuid').mockReturnValue(uid);
  return place;
}

describe.skipIf(process.platform !== 'linux')('the runtime directory', () => {
  it('is refused where another user has made the folder around it, who could put sockets of his own there', () => {
    const uid = (process.getuid?.() ?? 0) + 1;
    const parent = join(temporaryOf(uid), `ring3-${uid}`);
    mkdirSync(parent);
    if (statSync(parent).uid === 0) chownSync(parent, 4242, 4242);
    expect(() => provideRuntimeDirectory('demo', undefined)).toThrow(
      expect.objectContaining({ code: 'permission', message: expect.stringContaining(`${parent} belongs to user`) }),
    );
  });

  it('is not that of the claims', () => {
    expect(() => provideRuntimeDirectory('claims', undefined)).toThrow(expect.objectContaining({ code: 'config' }));
  });
});
