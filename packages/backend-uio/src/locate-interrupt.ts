import { join } from 'node:path';
import type { InterruptResource, Trigger } from '@ring3/core';
import { type Candidate, UIO_PCI_GENERIC } from './inventory.ts';
import { readAttribute, readFolder } from './sysfs/text.ts';

/** Numbers that are no line: `IRQ_NOTCONNECTED` is 2^31. */
const FIRST_NO_LINE = 2 ** 31;

/** One line as `/sys/kernel/irq/N` shows it. */
interface KernelLine {
  readonly number: number;
  /** `level` or `edge`. */
  readonly type: string;
}

/**
 * The interrupt of a device, without opening its node: `undefined` where it has none.
 *
 * uio_pci_generic serves INTx, which is a level. For other kernel drivers the line is the one that carries the name of
 * the UIO device. Without one, the kernel driver announces events by itself (`UIO_IRQ_CUSTOM`): nothing is masked, and
 * events add up. Source: Linux, Documentation/driver-api/uio-howto.rst.
 */
export function locateInterrupt(candidate: Candidate, sys: string, wanted?: Trigger | 'none'): InterruptResource[] {
  const { uio, pci, node } = candidate;
  if (uio === undefined || wanted === 'none') return [];
  if (uio.name === UIO_PCI_GENERIC) {
    if (pci === undefined || pci.irq === 0 || pci.irq >= FIRST_NO_LINE) return [];
    return [{ index: 0, trigger: wanted ?? 'level', line: `IRQ ${pci.irq}` }];
  }
  const lines = readLines(sys);
  const own = lines?.find(({ actions }) => actions.includes(uio.name));
  if (own !== undefined) {
    const trigger = wanted ?? triggerOf(own, pci?.header?.msi?.enabled ?? false);
    return [{ index: 0, trigger, line: `IRQ ${own.number}` }];
  }
  if (wanted === undefined && node !== undefined && !node.hasInterrupts) return [];
  // Without the list of lines nothing tells an announced event from a line; the careful form serves both.
  return [{ index: 0, trigger: wanted ?? (lines === undefined ? 'level' : 'message') }];
}

function triggerOf({ type }: KernelLine, msi: boolean): Trigger {
  if (msi) return 'message';
  return type === 'edge' ? 'edge' : 'level';
}

/** All lines with the names of who uses them; `undefined` where the kernel does not show them. */
function readLines(sys: string): (KernelLine & { readonly actions: readonly string[] })[] | undefined {
  const folder = join(sys, 'kernel/irq');
  const numbers = readFolder(folder).filter((name) => /^\d+$/.test(name));
  if (numbers.length === 0) return undefined;
  return numbers.map((number) => ({
    number: Number(number),
    type: readAttribute(join(folder, number, 'type')) ?? '',
    actions: (readAttribute(join(folder, number, 'actions')) ?? '').split(','),
  }));
}
