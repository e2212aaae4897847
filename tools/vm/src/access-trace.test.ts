import { expect, it } from 'vitest';
import { AccessCounter } from './access-trace.ts';

const at = (kind: string, value: string, size: number, name: string) =>
  `12@1.5:memory_region_ops_${kind} cpu 0 mr 0x5566 addr 0xfebf1004 value ${value} size ${size} name '${name}'\n`;

it('counts what lies behind each mark, by kind and width, of the devices that are asked for', () => {
  const counter = new AccessCounter(['edu-mmio', 'sdhci'], (value) => value >>> 24 === 0x5a);
  const trace = [
    at('read', '0x0', 4, 'sdhci'),
    at('write', '0x5a000001', 4, 'edu-mmio'),
    at('read', '0x5a000002', 4, 'edu-mmio'),
    at('read', '0x1', 4, 'pci-conf-data'),
    at('write', '0x5a', 1, 'sdhci'),
    at('write', '0x5a', 1, 'sdhci'),
    at('write', '0x5a000003', 4, 'edu-mmio'),
    at('read', '0x7', 8, 'edu-mmio'),
  ].join('');
  for (let index = 0; index < trace.length; index += 7) counter.push(trace.slice(index, index + 7));
  expect(counter.marked).toEqual([
    { mark: 0x5a000001, counts: { 'read 32': 1, 'write 8': 2 } },
    { mark: 0x5a000003, counts: { 'read 64': 1 } },
  ]);
});
