import { parseInteger, parseNumber } from './text.ts';

/** One base address register that has something behind it. */
export interface PciBar {
  /** 0 to 5. */
  readonly bar: number;
  readonly kind: 'memory' | 'port';
  readonly start: bigint;
  readonly sizeBytes: number;
  readonly prefetchable: boolean;
  /** The kernel has found no addresses for it. */
  readonly unassigned: boolean;
}

// include/linux/ioport.h
const IORESOURCE_IO = 0x100;
const IORESOURCE_MEM = 0x200;
const IORESOURCE_PREFETCH = 0x2000;
const IORESOURCE_UNSET = 0x2000_0000;
const BARS = 6;

/**
 * Reads `resource` of a PCI function: a line for each resource with its first and its last address and its flags; the
 * first six are the base address registers. Source: Linux, drivers/pci/pci-sysfs.c, `resource_show`.
 */
export function parsePciResource(text: string): PciBar[] {
  const lines = text.split('\n').slice(0, BARS);
  return lines.map(parseLine).filter((bar) => bar !== undefined);
}

function parseLine(line: string, bar: number): PciBar | undefined {
  if (line.trim() === '') return undefined;
  const [first = '', last = '', third = ''] = line.trim().split(/\s+/);
  const start = parseNumber(first, `resource ${bar}`);
  const end = parseNumber(last, `resource ${bar}`);
  const flags = parseInteger(third, `resource ${bar}`);
  if ((flags & (IORESOURCE_IO | IORESOURCE_MEM)) === 0 || end < start || end === 0n) return undefined;
  return {
    bar,
    kind: (flags & IORESOURCE_IO) !== 0 ? 'port' : 'memory',
    start,
    sizeBytes: Number(end - start + 1n),
    prefetchable: (flags & IORESOURCE_PREFETCH) !== 0,
    unassigned: (flags & IORESOURCE_UNSET) !== 0,
  };
}
