import type { HeldClaim, KernelResource } from '@ring3/linux';

/** One line of the tree: what the kernel says, or a claim of a ring3 process. */
export interface TreeNode {
  readonly name: string;
  /** `undefined` where the kernel hides its addresses. */
  readonly range: { readonly start: bigint; readonly end: bigint } | undefined;
  readonly claim: HeldClaim | undefined;
  readonly children: readonly TreeNode[];
}

interface OpenNode extends TreeNode {
  readonly children: OpenNode[];
}

/** Puts the claims of one address space into the kernel's tree: each below the smallest range that contains it. */
export function mergeClaims(
  kind: 'memory' | 'port',
  resources: readonly KernelResource[],
  claims: readonly HeldClaim[],
): TreeNode[] {
  const tree = resources.map(kernelNode);
  for (const claim of claims) {
    for (const range of claim.ranges.filter((candidate) => candidate.kind === kind)) {
      const end = range.start + BigInt(range.sizeBytes) - 1n;
      insert(tree, { name: claimName(claim), range: { start: range.start, end }, claim, children: [] });
    }
  }
  return tree;
}

/** Only what has to do with claims: they themselves, what contains them and what else lies in the same place. */
export function onlyClaimed(tree: readonly TreeNode[]): TreeNode[] {
  const claimed = claimsIn(tree);
  const keep = (nodes: readonly TreeNode[]): TreeNode[] =>
    nodes
      .filter((node) => claimed.some((claim) => overlap(node, claim)))
      .map((node) => ({ ...node, children: keep(node.children) }));
  return keep(tree);
}

/** The tree as the kernel prints its own; addresses that it hides are question marks. */
export function printTree(kind: 'memory' | 'port', tree: readonly TreeNode[], depth = 1): string[] {
  const digits = kind === 'memory' ? 8 : 4;
  return tree.flatMap(({ name, range, children }) => {
    const [start = '?'.repeat(digits), end = start] =
      range === undefined ? [] : [range.start, range.end].map((address) => address.toString(16).padStart(digits, '0'));
    return [`${'  '.repeat(depth)}${start}-${end} : ${name}`, ...printTree(kind, children, depth + 1)];
  });
}

/** The tree for programs: addresses are hexadecimal strings, `null` where the kernel hides them. */
export function plainTree(tree: readonly TreeNode[]): unknown[] {
  return tree.map(({ name, range, claim, children }) => ({
    start: range === undefined ? null : `0x${range.start.toString(16)}`,
    end: range === undefined ? null : `0x${range.end.toString(16)}`,
    name,
    ...(claim === undefined ? {} : { holder: claim.holder, pid: claim.pid, device: claim.device }),
    children: plainTree(children),
  }));
}

/** `ring3 demo.yaml: ata0, process 1234, device 0000:00:04.0`. */
export function claimName({ holder, pid, device }: HeldClaim): string {
  return `ring3 ${holder}, process ${pid}, device ${device}`;
}

function kernelNode({ name, start, end, children }: KernelResource): OpenNode {
  const range = start === undefined || end === undefined ? undefined : { start, end };
  return { name, range, claim: undefined, children: children.map(kernelNode) };
}

function insert(nodes: OpenNode[], claim: OpenNode): void {
  const around = nodes.find((node) => node.claim === undefined && contains(node, claim));
  if (around !== undefined) {
    insert(around.children, claim);
    return;
  }
  const after = nodes.findIndex(({ range }) => (range?.start ?? -1n) > startOf(claim));
  nodes.splice(after < 0 ? nodes.length : after, 0, claim);
}

function contains({ range: outer }: TreeNode, { range: inner }: TreeNode): boolean {
  return outer !== undefined && inner !== undefined && outer.start <= inner.start && inner.end <= outer.end;
}

function overlap({ range: a }: TreeNode, { range: b }: TreeNode): boolean {
  return a !== undefined && b !== undefined && a.start <= b.end && b.start <= a.end;
}

function startOf({ range }: TreeNode): bigint {
  return range?.start ?? 0n;
}

function claimsIn(tree: readonly TreeNode[]): TreeNode[] {
  return tree.flatMap((node) => [...(node.claim === undefined ? [] : [node]), ...claimsIn(node.children)]);
}
