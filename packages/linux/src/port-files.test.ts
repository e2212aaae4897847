import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isDeviceError } from '@ring3/core';
import { afterEach, describe, expect, it } from 'vitest';
import { devPortAccess, type FileAccess, portFileAccess } from './port-files.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

/** A file of 16 bytes 0xf0, 0xf1, ... in place of the kernel's. */
function setUp(size = 16) {
  const dev = mkdtempSync(join(tmpdir(), 'ring3-port-'));
  releases.push(() => rmSync(dev, { recursive: true }));
  const path = join(dev, 'port');
  writeFileSync(
    path,
    Uint8Array.from({ length: size }, (_, index) => 0xf0 + index),
  );
  const opened = (access: FileAccess) => {
    releases.push(() => access.close());
    return access;
  };
  const bytes = () => readFileSync(path).toString('hex');
  return { dev, path, bytes, opened };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return isDeviceError(error) ? `${error.code}: ${error.message}` : String(error);
  }
  return 'nothing was thrown';
}

describe('ports behind a resourceN file', () => {
  it('are read and written at their offset in 8, 16 and 32 bits, low byte first', () => {
    const { path, bytes, opened } = setUp();
    const access = opened(portFileAccess(path, 16));
    expect([access.read(1, 8), access.read(2, 16), access.read(4, 32)]).toEqual([0xf1, 0xf3f2, 0xf7f6f5f4]);
    access.write(0, 8, 0xaa);
    access.write(2, 16, 0xbbcc);
    access.write(8, 32, 0xdeadbeef);
    expect(bytes()).toBe('aaf1ccbbf4f5f6f7efbeaddefcfdfeff');
  });

  it('must be as many as were asked for', () => {
    const { path } = setUp();
    expect(codeOf(() => portFileAccess(path, 32))).toMatch(
      /^config: open ports .*: 32 bytes are asked for, it has 16$/,
    );
  });

  it('read all ones and take no writes after close, as those of a device that is gone', () => {
    const { path, bytes } = setUp();
    const access = portFileAccess(path, 16);
    access.close();
    access.close();
    expect([access.read(0, 8), access.read(0, 16), access.read(0, 32)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    access.write(0, 8, 0);
    expect(bytes()).toMatch(/^f0/);
  });

  it('say that they are missing, or that they are not permitted', () => {
    const { path, dev } = setUp();
    expect(codeOf(() => portFileAccess(join(dev, 'resource9'), 16))).toMatch(/^not-found: open ports: ENOENT/);
    if (process.getuid?.() === 0) return; // The mode of a file does not stop root.
    chmodSync(path, 0o400);
    expect(codeOf(() => portFileAccess(path, 16))).toMatch(/^permission: open ports: EACCES.*udev rule$/);
  });

  it('refuse an access that comes through in part', () => {
    const { path, opened } = setUp();
    const access = opened(portFileAccess(path, 16));
    expect(codeOf(() => access.read(15, 16))).toMatch(/^fault: read of 16 bits at 0xf of .*: 1 bytes of 2/);
  });
});

describe('ports behind /dev/port', () => {
  it('are read and written at their number, in 8 bits', () => {
    const { dev, bytes, opened } = setUp();
    const access = opened(devPortAccess(8, 4, { dev }));
    expect(access.read(3, 8)).toBe(0xfb);
    access.write(0, 8, 0x11);
    expect(bytes()).toBe('f0f1f2f3f4f5f6f711f9fafbfcfdfeff');
  });

  it.each([16, 32] as const)('refuse %d bits, which would reach the neighbours', (width) => {
    const { dev, bytes, opened } = setUp();
    const access = opened(devPortAccess(0, 16, { dev }));
    const before = bytes();
    const words =
      /^unsupported: (read|write) of \d+ bits at 0x0 of .*port: .*ATA data port; ports 0x0000-0x000f need ioperm/;
    expect(codeOf(() => access.read(0, width))).toMatch(words);
    expect(codeOf(() => access.write(0, width, 0))).toMatch(words);
    expect(bytes()).toBe(before);
  });

  it('say why they cannot be opened', () => {
    const { dev } = setUp();
    const nowhere = join(dev, 'empty');
    mkdirSync(nowhere);
    expect(codeOf(() => devPortAccess(0x80, 1, { dev: nowhere }))).toMatch(
      /^not-found: open ports: ENOENT.*CONFIG_DEVPORT/,
    );
    expect(() => devPortAccess(0xfff0, 0x11, { dev })).toThrow(RangeError);
  });
});
