import type { KernelResource } from '@ring3/linux';

/** Somebody in the kernel who holds addresses. */
export interface Occupant {
  /** As `/proc/iomem` or `/proc/ioports` has it. */
  readonly name: string;
  readonly start: bigint;
  /** Inclusive. */
  readonly end: bigint;
  readonly kind: 'ram' | 'holder';
}

const RAM = /^System RAM\b/;

// The kernel does not publish which of its ranges are busy. These only say what is there: the window of a bus, a base
// address register, a node of the device tree, a device of ACPI, a range that firmware describes. What lies in them decides.
const NO_HOLDER = [
  /^PCI Bus /,
  /^[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/,
  /^\S+@[0-9a-f]+$/,
  /^pnp [0-9a-f]{2}:[0-9a-f]{2}$/,
  /^[A-Z]{3,4}[0-9A-F]{4}:[0-9a-f]{2,}$/,
];

/** `Reserved` of the firmware's map is busy below this address only. Source: Linux, arch/x86/kernel/e820.c, do_mark_busy. */
const MIB = 0x10_0000n;

/**
 * Who in the kernel holds something between two addresses (both included), as far as the names in the tree say so:
 * the outermost holder of each place.
 */
export function occupantsOf(tree: readonly KernelResource[], start: bigint, end: bigint): Occupant[] {
  return tree.flatMap((range): Occupant[] => {
    if (range.start === undefined || range.end === undefined || range.start > end || range.end < start) return [];
    const { name } = range;
    if (RAM.test(name)) return [{ name, start: range.start, end: range.end, kind: 'ram' }];
    if (isHeld(name, range.start)) return [{ name, start: range.start, end: range.end, kind: 'holder' }];
    return occupantsOf(range.children, start, end);
  });
}

function isHeld(name: string, start: bigint): boolean {
  if (/^reserved$/i.test(name)) return start < MIB;
  return !NO_HOLDER.some((pattern) => pattern.test(name));
}

/** All ranges of the tree with this name, a range that is there twice counted once. */
export function rangesNamed(tree: readonly KernelResource[], name: string): KernelResource[] {
  const found = tree.flatMap((range): KernelResource[] => [
    ...(range.name === name ? [range] : []),
    ...rangesNamed(range.children, name),
  ]);
  return found.filter(
    (range, index) => found.findIndex(({ start, end }) => start === range.start && end === range.end) === index,
  );
}
