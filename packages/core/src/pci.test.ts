import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatPciAddress, formatPciIdentity, parsePciAddress } from './pci.ts';

it.each([
  ['0000:00:04.0', { domain: 0, bus: 0, device: 4, function: 0 }],
  ['00:1f.7', { domain: 0, bus: 0, device: 0x1f, function: 7 }],
  [' 0001:Fe:0A.3 ', { domain: 1, bus: 0xfe, device: 0xa, function: 3 }],
  ['10000:e1:00.0', { domain: 0x10000, bus: 0xe1, device: 0, function: 0 }],
])('%s is a PCI address', (text, address) => {
  expect(parsePciAddress(text)).toEqual(address);
});

it.each([
  '',
  '04.0',
  '0000:00:04.8',
  '0000:00:04',
  '000:00:04.0',
  '0000:00:4.0',
  '0000:0g:04.0',
  '0000-00-04.0',
  '0000:00:04.0 and more',
])('"%s" is none', (text) => {
  expect(() => parsePciAddress(text)).toThrow(
    `"${text}" is not a PCI address: write domain:bus:device.function, like 0000:00:04.0`,
  );
});

it('tells the last device of a bus', () => {
  expect(parsePciAddress('00:1f.7').device).toBe(31);
  expect(() => parsePciAddress('00:20.0')).toThrow(
    '"00:20.0" is not a PCI address: the device 20 is above 1f (hexadecimal)',
  );
});

it('writing and reading an address are inverse', () => {
  const address = fc.record({
    domain: fc.nat(0xffff_ffff),
    bus: fc.nat(0xff),
    device: fc.nat(0x1f),
    function: fc.nat(7),
  });
  fc.assert(
    fc.property(address, (any) => {
      expect(parsePciAddress(formatPciAddress(any))).toEqual(any);
    }),
  );
});

it('says who a function is', () => {
  const identity = { vendorId: 0x8086, deviceId: 0x10, classCode: 0x010180, revision: 0 };
  expect(formatPciIdentity(identity)).toBe('8086:0010 class 0x010180');
});
