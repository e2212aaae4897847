import { expect, it } from 'vitest';
import { compatible, type DeviceIdentity, findMatch, formatIdentity, named, pciClass, pciId } from './match.ts';

const piix: DeviceIdentity = { pci: { vendorId: 0x8086, deviceId: 0x7010, classCode: 0x01018a, revision: 0 } };
const board: DeviceIdentity = { compatible: ['acme,uart-v2', 'ns16550a'], name: 'uart0' };
const nobody: DeviceIdentity = {};

it.each([
  [pciId(0x8086, 0x7010), piix, true],
  [pciId(0x8086, 0x7111), piix, false],
  [pciId(0x1095, 0x7010), piix, false],
  [pciId(0x8086, 0x7010), board, false],
  [pciClass(0x010100), piix, true],
  [pciClass(0x01018f), piix, true],
  [pciClass(0x010600), piix, false],
  [pciClass(0x018000, 0xff0000), piix, true],
  [pciClass(0x01018f, 0xffffff), piix, false],
  [pciClass(0x000000), board, false],
  [compatible('ns16550a'), board, true],
  [compatible('acme,uart-v2'), board, true],
  [compatible('ns16550'), board, false],
  [compatible('ns16550a'), piix, false],
  [named('uart0'), board, true],
  [named('uart1'), board, false],
  [named('uart0'), nobody, false],
  [pciId(0, 0), nobody, false],
])('%j and %j: %s', (rule, identity, matches) => {
  expect(findMatch([rule], identity)).toBe(matches ? rule : undefined);
});

it('the first rule that fits wins', () => {
  const rules = [named('other'), compatible('ns16550a'), named('uart0')];
  expect(findMatch(rules, board)).toBe(rules[1]);
  expect(findMatch([], board)).toBeUndefined();
});

it.each([
  [piix, 'PCI 8086:7010 class 0x01018a'],
  [board, 'compatible acme,uart-v2, ns16550a, named "uart0"'],
  [nobody, 'a device without identity'],
])('%j in words', (identity, words) => {
  expect(formatIdentity(identity)).toBe(words);
});
