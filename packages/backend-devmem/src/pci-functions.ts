import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SpaceResource } from '@ring3/core';
import { type LinuxRoots, linuxRoots } from '@ring3/linux';

const IO_FLAG = 0x100n;
/**
 * Lines for base address registers. Behind them a bridge has the windows to the buses beyond it: what lies there is not its
 * own, and all devices beyond would be off the bus with it.
 */
const BARS = 6;

/** The PCI functions to whose base address registers some of these addresses belong. Source: Linux, Documentation/PCI/sysfs-pci.rst (`resource`). */
export function pciFunctionsAt(spaces: readonly SpaceResource[], roots?: LinuxRoots): string[] {
  const folder = join(linuxRoots(roots).sys, 'bus/pci/devices');
  return namesIn(folder).filter((address) => {
    const ranges = rangesOf(join(folder, address, 'resource'));
    return spaces.some(({ kind, start, sizeBytes }) =>
      ranges.some((range) => range.kind === kind && range.start < start + BigInt(sizeBytes) && range.end >= start),
    );
  });
}

function rangesOf(path: string) {
  return textOf(path)
    .split('\n')
    .slice(0, BARS)
    .flatMap((line) => {
      const [start = 0n, end = 0n, flags = 0n] = line.split(' ').filter(Boolean).map(BigInt);
      return end === 0n ? [] : [{ start, end, kind: (flags & IO_FLAG) === 0n ? 'memory' : 'port' }];
    });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // A machine without PCI.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
