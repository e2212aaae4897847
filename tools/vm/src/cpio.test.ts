import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needsTools } from '@ring3/core/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { cpioArchive } from './cpio.ts';

describe('an archive', () => {
  beforeEach(needsTools({ busybox: 'busybox-static' }));

  it('is one that busybox unpacks, with contents and permissions', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ring3-cpio-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const odd = Buffer.from([1, 2, 3, 0, 255]);
    const archive = cpioArchive([
      { path: 'bin', mode: 0o040755 },
      { path: 'bin/program', mode: 0o100755, data: Buffer.from('#!/bin/sh\n') },
      { path: 'odd', mode: 0o100600, data: odd },
      { path: 'empty', mode: 0o100644 },
    ]);
    execFileSync('busybox', ['cpio', '-i'], { cwd: folder, input: archive, stdio: ['pipe', 'ignore', 'ignore'] });
    expect(readFileSync(join(folder, 'odd'))).toEqual(odd);
    expect(readFileSync(join(folder, 'bin', 'program'), 'utf8')).toBe('#!/bin/sh\n');
    expect(statSync(join(folder, 'empty')).size).toBe(0);
    const modes = ['bin', 'bin/program', 'odd'].map((path) => statSync(join(folder, path)).mode);
    expect(modes).toEqual([0o040755, 0o100755, 0o100600]);
  });
});
