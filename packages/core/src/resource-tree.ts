import { DeviceError } from './device-error.ts';

/** Deeper levels are printed like this one: MAX_IORES_LEVEL of Linux, kernel/resource.c. */
const DEEPEST_PRINTED = 5;

interface Node {
  readonly name: string;
  readonly start: bigint;
  /** Inclusive, as the kernel has it. */
  readonly end: bigint;
  readonly busy: boolean;
  readonly children: Node[];
  /** False after its release, or that of a range that it lay in. */
  held: boolean;
}

/** A range that somebody holds. */
export interface Claim {
  readonly holder: string;
  readonly start: bigint;
  readonly sizeBytes: bigint;
  /** Claims a part of this range. */
  request(holder: string, start: bigint, sizeBytes: bigint): Claim;
  /**
   * Gives exactly this range back, and with it the claims inside of it. A second call does nothing.
   */
  release(): void;
}

/**
 * Who holds which addresses: `request_mem_region` and `request_region` of Linux for user space.
 * Busy claims conflict and name their holder; windows of buses (`window`) contain claims without conflict; nested
 * claims lie inside their parent and go with it. There is nothing to wait for, unlike `IORESOURCE_MUXED`.
 * Source: Linux, kernel/resource.c.
 */
export class ResourceTree {
  readonly #root: Node;
  readonly #digits: number;

  /** @param kind decides the limits and how addresses are printed: as in `/proc/iomem` or `/proc/ioports`. */
  constructor(kind: 'memory' | 'port') {
    this.#digits = kind === 'memory' ? 8 : 4;
    const end = kind === 'memory' ? 2n ** 64n - 1n : 0xffffn;
    this.#root = {
      name: kind === 'memory' ? 'memory' : 'I/O ports',
      start: 0n,
      end,
      busy: false,
      children: [],
      held: true,
    };
  }

  /**
   * Claims a range for `holder`.
   * @throws DeviceError `busy` that names the holder of what overlaps; RangeError for a range that cannot be.
   */
  request(holder: string, start: bigint, sizeBytes: bigint): Claim {
    return this.#claim(this.#root, holder, start, sizeBytes);
  }

  /** Marks a range as the window of a bus: claims inside it go below it. */
  window(name: string, start: bigint, sizeBytes: bigint): void {
    this.#insert(this.#root, {
      name,
      start,
      end: this.#end(name, start, sizeBytes),
      busy: false,
      children: [],
      held: true,
    });
  }

  /** The tree as `/proc/iomem` or `/proc/ioports` prints it. */
  toString(): string {
    return this.#root.children.flatMap((node) => this.#lines(node, 0)).join('\n');
  }

  #claim(below: Node, holder: string, start: bigint, sizeBytes: bigint): Claim {
    const node: Node = {
      name: holder,
      start,
      end: this.#end(holder, start, sizeBytes),
      busy: true,
      children: [],
      held: true,
    };
    const parent = this.#insert(below, node);
    return {
      holder,
      start,
      sizeBytes,
      request: (innerHolder, innerStart, innerSize) => {
        if (!node.held) throw new DeviceError('closed', `${holder}: ${this.#range(node)} was released`);
        return this.#claim(node, innerHolder, innerStart, innerSize);
      },
      release: () => this.#release(parent, node),
    };
  }

  /** Finds the deepest window that contains `node`, refuses what overlaps there, and keeps the order of addresses. */
  #insert(below: Node, node: Node): Node {
    if (node.start < below.start || node.end > below.end) {
      throw new DeviceError(
        'busy',
        `${node.name}: ${this.#range(node)} does not lie inside ${this.#range(below)} of ${below.name}`,
      );
    }
    const overlap = below.children.find((child) => child.start <= node.end && node.start <= child.end);
    if (overlap === undefined) {
      below.children.push(node);
      below.children.sort((a, b) => (a.start < b.start ? -1 : 1));
      return below;
    }
    const contains = overlap.start <= node.start && node.end <= overlap.end;
    if (!overlap.busy && contains) return this.#insert(overlap, node);
    throw new DeviceError(
      'busy',
      `${node.name} cannot have ${this.#range(node)}: ${overlap.name} holds ${this.#range(overlap)}`,
      { details: { holder: overlap.name } },
    );
  }

  #release(parent: Node, node: Node): void {
    if (!node.held) return;
    parent.children.splice(parent.children.indexOf(node), 1);
    drop(node);
  }

  #end(name: string, start: bigint, sizeBytes: bigint): bigint {
    const end = start + sizeBytes - 1n;
    if (start < 0n || sizeBytes <= 0n || end > this.#root.end) {
      throw new RangeError(
        `${name}: ${sizeBytes} bytes at 0x${start.toString(16)} are not a range of ${this.#root.name}`,
      );
    }
    return end;
  }

  #range({ start, end }: Node): string {
    return [start, end].map((address) => address.toString(16).padStart(this.#digits, '0')).join('-');
  }

  #lines(node: Node, depth: number): string[] {
    const line = `${'  '.repeat(Math.min(depth, DEEPEST_PRINTED))}${this.#range(node)} : ${node.name}`;
    return [line, ...node.children.flatMap((child) => this.#lines(child, depth + 1))];
  }
}

function drop(node: Node): void {
  node.held = false;
  for (const child of node.children) drop(child);
}
