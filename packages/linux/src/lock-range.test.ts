import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lockRange, rangeHolder, unlockRange } from './lock-range.ts';
import { startScript } from './test-script.ts';

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0).reverse()) release();
});

function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-lock-'));
  releases.push(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'lock');
  const open = () => {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT);
    releases.push(() => closeSync(fd));
    return fd;
  };
  return { path, open };
}

/** Another process that holds a range until it dies, and starts a child of its own when it is told to. */
const HOLDER = `
  import { spawn } from 'node:child_process';
  import { openSync } from 'node:fs';
  import { lockRange } from './lock-range.ts';
  const fd = openSync(process.argv[1], 'r+');
  console.log(lockRange(fd, BigInt(process.argv[2]), BigInt(process.argv[3])));
  process.stdin.once('data', () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    child.once('spawn', () => console.log(child.pid));
  });
`;

describe.skipIf(process.platform !== 'linux')('locks of open files', () => {
  it('gives a range to one open file only, and says which range is in the way', () => {
    const { open } = setUp();
    const [first, second] = [open(), open()];
    expect(lockRange(first, 0xfebf0000n, 0x4000n)).toBe(true);
    expect(lockRange(second, 0xfebf3fffn, 1n)).toBe(false);
    expect(lockRange(second, 0xfebf4000n, 0x1000n)).toBe(true);
    expect(rangeHolder(second, 0n, 1n << 63n)).toEqual({ start: 0xfebf0000n, length: 0x4000n });
    expect(rangeHolder(first, 0n, 1n << 63n)).toEqual({ start: 0xfebf4000n, length: 0x1000n });
    expect(rangeHolder(second, 0x1000n, 0x1000n)).toBeUndefined();
  });

  it('lets go of a part', () => {
    const { open } = setUp();
    const [first, second] = [open(), open()];
    lockRange(first, 0n, 0x3000n);
    unlockRange(first, 0x1000n, 0x1000n);
    expect(lockRange(second, 0x1000n, 0x1000n)).toBe(true);
    expect(lockRange(second, 0x2000n, 1n)).toBe(false);
  });

  it.each([
    [0x7fff_ffff_ffff_f000n, 0x1000n],
    [0n, 1n << 63n],
    [(1n << 62n) + 1n, 2n],
    [0xffff_ffffn, 2n],
  ])('keeps 64 bits apart: %d, %d bytes', (start, length) => {
    const { open } = setUp();
    const [first, second] = [open(), open()];
    lockRange(first, start, length);
    expect(rangeHolder(second, 0n, 1n << 63n)).toEqual({ start, length });
    expect(lockRange(second, start + length - 1n, 1n)).toBe(false);
    if (start > 0n) expect(lockRange(second, start - 1n, 1n)).toBe(true);
  });

  it('refuses what is no range before the kernel sees it', () => {
    const fd = setUp().open();
    expect(() => lockRange(fd, -1n, 1n)).toThrow(RangeError);
    expect(() => lockRange(fd, 0n, 0n)).toThrow(RangeError);
    expect(() => lockRange(fd, 1n << 62n, (1n << 62n) + 1n)).toThrow(/the end at most 2\^63/);
  });

  it('says which call failed on a descriptor that is not open for writing', () => {
    const { path, open } = setUp();
    open();
    const readOnly = openSync(path, 'r');
    releases.push(() => closeSync(readOnly));
    expect(() => lockRange(readOnly, 0n, 1n)).toThrow(/fcntl file descriptor \d+: EBADF/);
  });

  it('holds against other processes until the holder dies, also by kill -9 with a child left behind', async () => {
    const { path, open } = setUp();
    const fd = open();
    const holder = startScript(HOLDER, path, '0x1000', '0x1000');
    expect(await holder.line()).toBe('true');
    expect(lockRange(fd, 0x1fffn, 1n)).toBe(false);
    expect(rangeHolder(fd, 0n, 0x9000n)).toEqual({ start: 0x1000n, length: 0x1000n });
    holder.child.stdin.write('a child\n');
    const orphan = Number(await holder.line());
    releases.push(() => process.kill(orphan, 'SIGKILL'));
    holder.child.kill('SIGKILL');
    expect((await holder.ended).signal).toBe('SIGKILL');
    // Node opens with O_CLOEXEC: the orphan lives, the descriptor went with its parent.
    process.kill(orphan, 0);
    expect(lockRange(fd, 0x1000n, 0x1000n)).toBe(true);
  });
});
