import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LinuxRoots, linuxRoots } from './roots.ts';

/** A range of addresses that the kernel knows: the window of a bus, a device, the claim of a kernel driver. */
export interface KernelResource {
  readonly name: string;
  /** `undefined` where the kernel hides addresses from this process: unknown, which is not free. */
  readonly start: bigint | undefined;
  /** Inclusive. */
  readonly end: bigint | undefined;
  readonly children: readonly KernelResource[];
}

/** What the kernel says about the addresses of this machine. */
export interface KernelResources {
  /** `/proc/iomem`. */
  readonly memory: readonly KernelResource[];
  /** `/proc/ioports`. */
  readonly ports: readonly KernelResource[];
  /** A part is kept from this process, which needs CAP_SYS_ADMIN to see it: what is not shown may be in use. */
  readonly hidden: boolean;
}

interface Row {
  readonly depth: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly name: string;
}

interface OpenResource extends KernelResource {
  readonly children: OpenResource[];
}

/** `  febf1000-febf1fff : 0000:00:04.0`: two spaces a level, start, end, name. */
const LINE = /^( *)([0-9a-f]+)-([0-9a-f]+) : (.*)$/;

/**
 * Reads the text of `/proc/iomem` or `/proc/ioports`; lines of another form are passed over. Where every address is
 * zero, which is what a process without CAP_SYS_ADMIN is shown, the resources have none.
 * Source: Linux, kernel/resource.c, r_show.
 */
export function parseResourceFile(text: string): KernelResource[] {
  const rows = text.split('\n').flatMap(parseLine);
  const hidden = rows.every(({ start, end }) => start === 0n && end === 0n);
  const top: OpenResource[] = [];
  /** The last resource of each level; a line goes below the last one of the level above. */
  const open: OpenResource[] = [];
  for (const { depth, start, end, name } of rows) {
    open.length = Math.min(depth, open.length);
    const addresses = hidden ? { start: undefined, end: undefined } : { start, end };
    const resource: OpenResource = { name, ...addresses, children: [] };
    (open.at(-1)?.children ?? top).push(resource);
    open.push(resource);
  }
  return top;
}

/** Reads `/proc/iomem` and `/proc/ioports`. A file that cannot be read hides what it would say. */
export function readKernelResources(roots: Pick<LinuxRoots, 'proc'> = {}): KernelResources {
  const { proc } = linuxRoots(roots);
  const memory = readResources(join(proc, 'iomem'));
  const ports = readResources(join(proc, 'ioports'));
  const hidden = [memory, ports].some((tree) => tree === undefined || tree.some(({ start }) => start === undefined));
  return { memory: memory ?? [], ports: ports ?? [], hidden };
}

function readResources(path: string): KernelResource[] | undefined {
  try {
    return parseResourceFile(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function parseLine(line: string): Row[] {
  const [, indent, start, end, name] = LINE.exec(line) ?? [];
  if (indent === undefined || start === undefined || end === undefined || name === undefined) return [];
  return [{ depth: indent.length / 2, start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), name }];
}
