import { findClaimDirectories, type HeldClaim, listClaims, readKernelResources } from '@ring3/linux';
import { print, printJson, say } from '../access/output.ts';
import { claimName, mergeClaims, onlyClaimed, plainTree, printTree, type TreeNode } from '../claim-tree.ts';

/** Options of `ring3 claims`. */
export interface ClaimsOptions {
  readonly json?: boolean;
  /** Also the parts of the kernel's tree without a claim. */
  readonly all?: boolean;
}

/** `ring3 claims`: which process holds which device, in the tree of what the kernel says of the addresses. */
export async function claims(options: ClaimsOptions): Promise<void> {
  const held = listClaims();
  const kernel = readKernelResources();
  const shown = (tree: TreeNode[]) => (options.all === true ? tree : onlyClaimed(tree));
  const memory = shown(mergeClaims('memory', kernel.memory, held));
  const ports = shown(mergeClaims('port', kernel.ports, held));
  const devices = held.filter(({ ranges }) => ranges.length === 0);
  if (options.json === true) {
    printJson({ memory: plainTree(memory), ports: plainTree(ports), devices, addressesHidden: kernel.hidden });
    return;
  }
  section('memory', printTree('memory', memory));
  section('I/O ports', printTree('port', ports));
  section(
    'devices without addresses',
    devices.map((claim) => `  ${claimName(claim)}`),
  );
  explain(held, kernel.hidden);
}

function section(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  print(title);
  for (const line of lines) print(line);
}

function explain(held: readonly HeldClaim[], hidden: boolean): void {
  if (held.length === 0) {
    const { own, others } = findClaimDirectories();
    say(`no ring3 process has claimed a device (looked in ${[own, ...others].join(' and ')})`);
  }
  if (hidden) {
    say(
      'the kernel hides its addresses from this process: what it holds itself is unknown, not free; run as root (CAP_SYS_ADMIN) to see it',
    );
  }
}
