import { readFileSync } from 'node:fs';
import { DEVICE_ERROR_CODES, DeviceError } from '@ring3/core';
import { describe, expect, test } from 'vitest';
import { ERRNO_OF_DEVICE_ERROR, encodeMessage, refusalOf } from './errno.ts';

describe('errors on their way to a client', () => {
  test('every code of a DeviceError has an errno, and the README has the same table', () => {
    expect(Object.keys(ERRNO_OF_DEVICE_ERROR).sort()).toEqual(Object.keys(DEVICE_ERROR_CODES).sort());
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| `(E[A-Z]+)` +\|/gm)].map(([, code, errno]) => [code, errno]);
    expect(Object.fromEntries(rows)).toEqual(ERRNO_OF_DEVICE_ERROR);
  });

  test.each([
    [new DeviceError('media', 'bad', { details: { block: 3 } }), { errno: 'EIO', message: 'bad', offset: 1536 }],
    [new DeviceError('media', 'bad somewhere'), { errno: 'EIO', message: 'bad somewhere' }],
    [new DeviceError('timeout', 'late', { details: { block: 3 } }), { errno: 'EIO', message: 'late' }],
    [new DeviceError('gone', 'unplugged'), { errno: 'ESHUTDOWN', message: 'unplugged' }],
    [new RangeError('beyond'), { errno: 'EINVAL', message: 'beyond' }],
    [new TypeError('a bug'), { errno: 'EIO', message: 'a bug' }],
    ['a string', { errno: 'EIO', message: 'a string' }],
  ])('%s becomes %j', (error, refusal) => {
    expect(refusalOf(error, 512)).toEqual(refusal);
  });

  test('a message is UTF-8 without NUL, at most 4096 bytes, and no character is cut in two', () => {
    expect(encodeMessage('a\0b').toString()).toBe('a b');
    expect(encodeMessage('x'.repeat(4096))).toHaveLength(4096);
    for (const shift of ['', 'x', 'xx']) {
      const bytes = encodeMessage(shift + '€'.repeat(2000));
      expect(bytes.length).toBeGreaterThan(4093);
      expect(bytes.length).toBeLessThanOrEqual(4096);
      expect(bytes.toString()).toBe(shift + '€'.repeat((bytes.length - shift.length) / 3));
    }
  });
});
