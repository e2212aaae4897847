import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type KernelResource, parseResourceFile, readKernelResources } from './kernel-resources.ts';

/** The tree as text again, one line a resource. */
function lines(resources: readonly KernelResource[], indent = ''): string[] {
  return resources.flatMap(({ name, start, end, children }) => [
    `${indent}${start?.toString(16) ?? '?'}..${end?.toString(16) ?? '?'} ${name}`,
    ...lines(children, `${indent}> `),
  ]);
}

function procWith(files: Readonly<Record<string, string>>): string {
  const proc = mkdtempSync(join(tmpdir(), 'ring3-proc-'));
  onTestFinished(() => rmSync(proc, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(proc, name), text);
  return proc;
}

const CASES: readonly (readonly [what: string, text: string, tree: readonly string[]])[] = [
  [
    'two spaces a level, and back up several levels at once',
    `00001000-0009fbff : System RAM
c0000000-febfffff : PCI Bus 0000:00
  fd000000-fdffffff : 0000:00:02.0
    fd000000-fd2fffff : efifb
fec00000-fec003ff : IOAPIC 0
`,
    [
      '1000..9fbff System RAM',
      'c0000000..febfffff PCI Bus 0000:00',
      '> fd000000..fdffffff 0000:00:02.0',
      '> > fd000000..fd2fffff efifb',
      'fec00000..fec003ff IOAPIC 0',
    ],
  ],
  [
    'names with colons and spaces around them, and empty ones',
    '43c00000-43c00fff : axi : dma@43c00000 : regs\n43c10000-43c1ffff : \n',
    ['43c00000..43c00fff axi : dma@43c00000 : regs', '43c10000..43c1ffff '],
  ],
  [
    'four digits of ports, sixteen of memory above 4 GiB',
    '03f8-03ff : serial\n100000000-ffffffffffffffff : far\n',
    ['3f8..3ff serial', '100000000..ffffffffffffffff far'],
  ],
  [
    'zero for every address: unknown, with the nesting that is left',
    '00000000-00000000 : PCI Bus 0000:00\n  00000000-00000000 : 0000:00:04.0\n',
    ['?..? PCI Bus 0000:00', '> ?..? 0000:00:04.0'],
  ],
  ['a single byte at zero that is really there', '0000-0000 : odd\n0020-0021 : pic1\n', ['0..0 odd', '20..21 pic1']],
  ['a first line that is too deep', '    0020-0021 : pic1\n', ['20..21 pic1']],
  ['lines that are none', 'garbage\n0020-0021 : pic1\n0040 : timer\n', ['20..21 pic1']],
  ['an empty file', '', []],
];

describe('the resource files of the kernel', () => {
  for (const [what, text, tree] of CASES)
    it(`are read: ${what}`, () => expect(lines(parseResourceFile(text))).toEqual(tree));

  it('show everything to root', () => {
    const proc = procWith({ iomem: '00001000-00001fff : System RAM\n', ioports: '0020-0021 : pic1\n' });
    const { memory, ports, hidden } = readKernelResources({ proc });
    expect([lines(memory), lines(ports), hidden]).toEqual([['1000..1fff System RAM'], ['20..21 pic1'], false]);
  });

  it('are said to hide something when the addresses are zero', () => {
    const proc = procWith({ iomem: '00000000-00000000 : System RAM\n', ioports: '0020-0021 : pic1\n' });
    expect(readKernelResources({ proc }).hidden).toBe(true);
  });

  it('are said to hide something when one of them is not there', () => {
    expect(readKernelResources({ proc: procWith({ iomem: '' }) })).toEqual({ memory: [], ports: [], hidden: true });
  });

  it('hide nothing when they are empty', () => {
    expect(readKernelResources({ proc: procWith({ iomem: '', ioports: '' }) }).hidden).toBe(false);
  });
});
