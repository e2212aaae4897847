import { expect, it } from 'vitest';
import { checkBlockRange } from './block-device.ts';

const info = {
  model: 'disk',
  serial: '1',
  blockSizeBytes: 512,
  blockCount: 1024,
  readOnly: false,
  maxTransferBlocks: 256,
  volatileCache: true,
  simulated: true,
};

it.each([
  [0, 1],
  [0, 256],
  [1023, 1],
  [768, 256],
])('a request at %i for %i blocks passes', (block, blocks) => {
  expect(() => checkBlockRange(info, block, blocks * 512)).not.toThrow();
});

it.each([
  [0, 0, '0 bytes are not whole blocks: give a multiple of 512'],
  [0, 513, '513 bytes are not whole blocks: give a multiple of 512'],
  [900, 300 * 512, '300 blocks at 900: the disk has 1024'],
  [1024, 512, '1 blocks at 1024: the disk has 1024'],
  [-1, 512, '1 blocks at -1: the disk has 1024'],
  [0.5, 512, '1 blocks at 0.5: the disk has 1024'],
  [Number.NaN, 512, '1 blocks at NaN: the disk has 1024'],
  [2 ** 53, 512, 'the disk has 1024'],
  [0, 257 * 512, '257 blocks at 0: one request moves at most 256'],
])('a request at %f for %i bytes is refused: %s', (block, lengthBytes, message) => {
  expect(() => checkBlockRange(info, block, lengthBytes)).toThrow(RangeError);
  expect(() => checkBlockRange(info, block, lengthBytes)).toThrow(message);
});
