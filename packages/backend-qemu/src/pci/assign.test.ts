import { isDeviceError } from '@ring3/core';
import { expect, it } from 'vitest';
import { AddressAllocator, barSizes } from './assign.ts';

const MEMORY = { first: 0xe000_0000n, last: 0xe0ff_ffffn, cpuBus: 'memory', cpuBase: 0n } as const;

it.each([
  ['nothing', [0, 0, 0, 0, 0, 0], []],
  ['1 MiB of memory', [0xfff0_0000], [{ bar: 0, kind: 'memory', sizeBytes: 0x10_0000, is64: false }]],
  ['prefetchable memory', [0xff00_0008], [{ bar: 0, kind: 'memory', sizeBytes: 0x100_0000, is64: false }]],
  ['16 ports with upper bits', [0, 0xffff_fff1], [{ bar: 1, kind: 'port', sizeBytes: 16, is64: false }]],
  ['8 ports without them', [0x0000_fff9], [{ bar: 0, kind: 'port', sizeBytes: 8, is64: false }]],
  ['64 bits', [0, 0xffff_c004, 0xffff_ffff], [{ bar: 1, kind: 'memory', sizeBytes: 0x4000, is64: true }]],
  [
    '64 bits, 8 GiB, and one more behind',
    [0x0000_000c, 0xffff_fffe, 0xffff_f000],
    [
      { bar: 0, kind: 'memory', sizeBytes: 2 ** 33, is64: true },
      { bar: 2, kind: 'memory', sizeBytes: 0x1000, is64: false },
    ],
  ],
])('sizes %s', (_what, masks, expected) => {
  expect(barSizes(masks)).toEqual(expected);
});

it('hands out ranges at multiples of their size, a page at least, that do not overlap', () => {
  const allocator = new AddressAllocator('memory', MEMORY);
  const taken = [0x100, 0x1_0000, 0x1000, 0x20_0000].map((size) => ({ size, start: allocator.take(size) }));
  expect(taken.map(({ start }) => start)).toEqual([0xe000_0000n, 0xe001_0000n, 0xe002_0000n, 0xe020_0000n]);
});

it('says in words that the window is full', () => {
  const allocator = new AddressAllocator('memory', MEMORY);
  allocator.take(0x80_0000);
  try {
    allocator.take(0x100_0000);
    expect.fail('there is no room');
  } catch (error) {
    expect(isDeviceError(error, 'unsupported')).toBe(true);
    expect(String(error)).toContain('no 0x1000000 bytes of PCI memory left between 0xe0000000 and 0xe0ffffff');
  }
});
