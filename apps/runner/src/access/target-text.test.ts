import { expect, it } from 'vitest';
import { parseTarget } from './target-text.ts';

const PCI = '0000:00:04.0';

it.each([
  ['0x43c0_0000', { kind: 'address', space: 'memory', address: 0x43c0_0000n }],
  ['4096', { kind: 'address', space: 'memory', address: 4096n }],
  ['0xffffffffffffffff', { kind: 'address', space: 'memory', address: 2n ** 64n - 1n }],
  ['port:0x3f8', { kind: 'address', space: 'port', address: 0x3f8n }],
  [`pci:${PCI}/bar0`, { kind: 'pci', pci: PCI, bar: 0, offset: 0 }],
  ['pci:00:1f.2/BAR5+0x24', { kind: 'pci', pci: '00:1f.2', bar: 5, offset: 0x24 }],
  ['edu0', { kind: 'device', device: 'edu0', path: [], offset: undefined }],
  ['edu0.status', { kind: 'device', device: 'edu0', path: ['status'], offset: undefined }],
  ['1-uart.bar0+0x10', { kind: 'device', device: '1-uart', path: ['bar0'], offset: 0x10 }],
  ['ata0.command0.status', { kind: 'device', device: 'ata0', path: ['command0', 'status'], offset: undefined }],
])('%s is understood', (text, expected) => {
  expect(parseTarget(text)).toEqual(expected);
});

it.each([
  ['43c00000', 'the address "43c00000" is no number: did you mean 0x43c00000?'],
  ['0xzz', 'is no number: write 0x10 or 16'],
  ['port:com1', 'the port "com1" is no number'],
  [`${PCI}/bar0`, `write pci:${PCI}/bar0`],
  [`pci:${PCI}`, 'name the base address register, like pci:0000:00:04.0/bar0+0x10'],
  ['pci:4/bar0', '"4" is not a PCI address: write domain:bus:device.function'],
  ['edu0.status+', 'is no target; there are 0x43c00000'],
  ['edu0.bar0+10x', 'the offset "10x" is no number'],
  ['Edu0.status', 'is no target'],
  ['', 'is no target'],
])('%j is refused with the right form', (text, message) => {
  expect(() => parseTarget(text)).toThrow(message);
});
