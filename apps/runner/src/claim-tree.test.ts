import { type HeldClaim, parseResourceFile } from '@ring3/linux';
import { expect, it } from 'vitest';
import { mergeClaims, onlyClaimed, plainTree, printTree } from './claim-tree.ts';

const IOMEM = `00001000-0009fbff : System RAM
c0000000-febfffff : PCI Bus 0000:00
  febf0000-febf0fff : 0000:00:03.0
    febf0000-febf0fff : e1000
  febf1000-febf1fff : 0000:00:04.0
  febf2000-febf2fff : 0000:00:05.0
`;

const HIDDEN = IOMEM.replaceAll(/[0-9a-f]{8}/g, '00000000');

function claim(start: bigint, sizeBytes: number): HeldClaim {
  const ranges = [
    { kind: 'memory', start, sizeBytes } as const,
    { kind: 'port', start: 0x3f8n, sizeBytes: 8 } as const,
  ];
  return { holder: 'demo.yaml: edu0', pid: 42, device: '0000:00:04.0', ranges };
}

const print = (iomem: string, held: readonly HeldClaim[], narrow = true) => {
  const tree = mergeClaims('memory', parseResourceFile(iomem), held);
  return printTree('memory', narrow ? onlyClaimed(tree) : tree);
};

const CLAIM = 'ring3 demo.yaml: edu0, process 42, device 0000:00:04.0';

it('shows a claim below the smallest range that contains it, and what that lies in', () => {
  expect(print(IOMEM, [claim(0xfebf1800n, 16)])).toEqual([
    '  c0000000-febfffff : PCI Bus 0000:00',
    '    febf1000-febf1fff : 0000:00:04.0',
    `      febf1800-febf180f : ${CLAIM}`,
  ]);
});

it('shows what the kernel gave away inside of a claim', () => {
  expect(print(IOMEM, [claim(0xfebf0000n, 0x2000)])).toEqual([
    '  c0000000-febfffff : PCI Bus 0000:00',
    '    febf0000-febf0fff : 0000:00:03.0',
    '      febf0000-febf0fff : e1000',
    `    febf0000-febf1fff : ${CLAIM}`,
    '    febf1000-febf1fff : 0000:00:04.0',
  ]);
});

it('shows everything when asked, in the order of addresses', () => {
  const lines = print(IOMEM, [claim(0xa0000n, 16)], false);
  expect(lines).toHaveLength(7);
  expect(lines[1]).toBe(`  000a0000-000a000f : ${CLAIM}`);
});

it('shows claims alone where the kernel hides its addresses', () => {
  expect(print(HIDDEN, [claim(0xfebf1800n, 16)])).toEqual([`  febf1800-febf180f : ${CLAIM}`]);
});

it('shows question marks for hidden addresses', () => {
  expect(print(HIDDEN, [], false).slice(0, 3)).toEqual([
    '  ????????-???????? : System RAM',
    '  ????????-???????? : PCI Bus 0000:00',
    '    ????????-???????? : 0000:00:03.0',
  ]);
});

it('shows ports with four digits', () => {
  const tree = mergeClaims('port', parseResourceFile('03f8-03ff : serial\n'), [claim(0n, 1)]);
  expect(printTree('port', tree)).toEqual(['  03f8-03ff : serial', `    03f8-03ff : ${CLAIM}`]);
});

it('gives programs hexadecimal strings, the claim apart, and null for what is hidden', () => {
  expect(plainTree(mergeClaims('port', parseResourceFile('0000-0000 : pic1\n'), [claim(0n, 1)]))).toEqual([
    { start: null, end: null, name: 'pic1', children: [] },
    {
      start: '0x3f8',
      end: '0x3ff',
      name: CLAIM,
      holder: 'demo.yaml: edu0',
      pid: 42,
      device: '0000:00:04.0',
      children: [],
    },
  ]);
});
