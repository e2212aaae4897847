import { DeviceError } from '@ring3/core';
import { expect, it } from 'vitest';
import { fromWireError, toWireError } from './wire-error.ts';

const travelled = (error: unknown) => fromWireError(JSON.parse(JSON.stringify(toWireError(error))));

it.each([
  new DeviceError('media', 'block 7 is bad', { details: { block: 7 } }),
  new DeviceError('gone', 'pulled out'),
  new RangeError('300 blocks at 900: the disk has 1024'),
  new TypeError('no method'),
  new Error('a mistake in a driver'),
])('carries %o as it is', (error) => {
  const arrived = travelled(error);
  expect(arrived).toEqual(error);
  expect(arrived.constructor).toBe(error.constructor);
});

it('carries what is no error as its words', () => {
  expect(travelled('just a string')).toEqual(new Error('just a string'));
});

it('takes a code that it does not know for a fault, and keeps the code in the words', () => {
  const arrived = fromWireError({ name: 'DeviceError', message: 'too hot', code: 'molten' });
  expect(arrived).toEqual(new DeviceError('fault', 'too hot (code molten, unknown to this version)'));
});
