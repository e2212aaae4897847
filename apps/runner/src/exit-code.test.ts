import { DeviceError } from '@ring3/core';
import { ConfigError, type Problem } from '@ring3/rig';
import { expect, test } from 'vitest';
import { exitCodeOf } from './exit-code.ts';

const problem = (code?: Problem['code']): Problem => ({
  path: ['devices'],
  message: 'wrong',
  ...(code === undefined ? {} : { code }),
});

test.each([
  ['an image that is in use', new ConfigError([problem('busy')]), 75],
  ['two devices that are not there', new ConfigError([problem('not-found'), problem('not-found')]), 69],
  ['a device that is not there, and a wrong key', new ConfigError([problem('not-found'), problem()]), 78],
  ['a wrong key', new ConfigError([problem()]), 78],
  ['another error', new DeviceError('permission', 'no'), 77],
])('%s', (_what, error, status) => {
  expect(exitCodeOf(error)).toBe(status);
});
