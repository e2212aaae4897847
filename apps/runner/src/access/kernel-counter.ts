import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxRoots } from '@ring3/linux';

/**
 * How many interrupts the kernel has counted on a line, on all processors; `undefined` where `/proc/interrupts` does not
 * have it. Everyone on a shared line is in it.
 */
export function kernelCounter(line: number): number | undefined {
  return parseInterrupts(readFileSync(join(linuxRoots().proc, 'interrupts'), 'utf8'), line);
}

/** The sum of a line's columns: ` 11:   5   7   IO-APIC  11-fasteoi   uio_pci_generic`. */
export function parseInterrupts(text: string, line: number): number | undefined {
  const row = text.split('\n').find((one) => one.trimStart().startsWith(`${line}:`));
  if (row === undefined) return undefined;
  const [, ...columns] = row.trim().split(/\s+/);
  const end = columns.findIndex((column) => !/^\d+$/.test(column));
  return columns.slice(0, end === -1 ? columns.length : end).reduce((sum, column) => sum + Number(column), 0);
}
