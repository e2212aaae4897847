import { expect, it } from 'vitest';
import { DEVICE_ERROR_CODES, DeviceError, isDeviceError } from './device-error.ts';

it('carries a code, a message, facts and what led to it', () => {
  const cause = new Error('EBUSY');
  const error = new DeviceError('busy', 'ata0 is held by pid 7', { cause, details: { pid: 7 } });
  expect(error).toMatchObject({ name: 'DeviceError', code: 'busy', details: { pid: 7 }, cause });
  expect(String(error)).toBe('DeviceError: ata0 is held by pid 7');
  expect(new DeviceError('gone', 'x')).toMatchObject({ details: {} });
  expect('cause' in new DeviceError('gone', 'x')).toBe(false);
});

it('is told from other errors, also when it comes from another copy of the package', () => {
  const foreign = Object.assign(new Error('x'), { name: 'DeviceError', code: 'media', details: {} });
  expect(isDeviceError(new DeviceError('media', 'x'))).toBe(true);
  expect(isDeviceError(foreign, 'media')).toBe(true);
  expect(isDeviceError(foreign, 'gone')).toBe(false);
  for (const other of [new Error('x'), { name: 'DeviceError', code: 'media' }, undefined, 'media']) {
    expect(isDeviceError(other)).toBe(false);
  }
});

it('says of every code what causes it and what helps', () => {
  for (const { cause, remedy } of Object.values(DEVICE_ERROR_CODES)) {
    expect(cause).toMatch(/^[A-Z].+\.$/);
    expect(remedy).toMatch(/^[A-Z].+\.$/);
  }
});
