import { openSync } from 'node:fs';
import { DeviceError } from '@ring3/core';
import { describe, expect, it } from 'vitest';
import { deviceErrorOf, errnoOf, SystemCallError } from './system-call-error.ts';

function thrown(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('SystemCallError', () => {
  it('names the call, the path and the errno', () => {
    expect(new SystemCallError('mmap', 1, '/dev/mem')).toMatchObject({
      message: 'mmap /dev/mem: EPERM',
      call: 'mmap',
      errno: 1,
      code: 'EPERM',
      path: '/dev/mem',
    });
    expect(new SystemCallError('ioperm', 5).message).toBe('ioperm: EIO');
    expect(new SystemCallError('ioctl', 3999).message).toBe('ioctl: errno 3999');
  });

  it.skipIf(process.platform !== 'linux').each([
    [11, 'EAGAIN'],
    [95, 'ENOTSUP'],
  ])('uses the name that Node uses, of two for %d', (errno, name) => {
    expect(new SystemCallError('x', errno).code).toBe(name);
  });
});

describe('errnoOf', () => {
  it('finds the errno in errors of Node and of native calls, and in no others', () => {
    expect(errnoOf(thrown(() => openSync('/nowhere/at/all', 'r')))).toBe('ENOENT');
    expect(errnoOf(new SystemCallError('mmap', 13))).toBe('EACCES');
    expect(errnoOf(thrown(() => openSync('a\0b', 'r')))).toBeUndefined(); // ERR_INVALID_ARG_VALUE
    expect(errnoOf(new DeviceError('busy', 'x'))).toBeUndefined();
    expect(errnoOf({ code: 'EPERM' })).toBeUndefined();
  });
});

describe('deviceErrorOf', () => {
  it.each([
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['EROFS', 'permission'],
    ['ENOENT', 'not-found'],
    ['ENODEV', 'gone'],
    ['EBUSY', 'busy'],
    ['ENOSYS', 'unsupported'],
    ['EINVAL', 'fault'],
  ])('takes %s for %s', (code, expected) => {
    const cause = Object.assign(new Error('open'), { code });
    expect(deviceErrorOf(cause, 'open it')).toMatchObject({ name: 'DeviceError', code: expected, cause });
  });

  it('says what was tried, what the kernel said, and what to do about this errno', () => {
    const remedies = { EPERM: 'give it CAP_SYS_RAWIO', EBUSY: 'wait' };
    const error = deviceErrorOf(new SystemCallError('mmap', 1, '/dev/mem'), 'map regs of uart0', remedies);
    expect(error.message).toBe('map regs of uart0: mmap /dev/mem: EPERM; give it CAP_SYS_RAWIO');
    expect(deviceErrorOf(new SystemCallError('mmap', 12), 'map', remedies).message).toBe('map: mmap: ENOMEM');
  });

  it('keeps the code of what is a DeviceError already', () => {
    const cause = new DeviceError('unsupported', 'no binary');
    expect(deviceErrorOf(cause, 'open ports')).toMatchObject({ code: 'unsupported', message: 'open ports: no binary' });
  });
});
