import { type DeviceDescription, ResourceTree } from '@ring3/core';
import type { DeviceDraft } from './device-draft.ts';
import type { Problems } from './problems.ts';

/** Finds devices on the same addresses: in the order of the file, the second one is wrong. */
export function checkClaims(devices: readonly DeviceDraft[], problems: Problems): void {
  const trees = new Map<string, ResourceTree>();
  for (const { name, path, description } of devices) {
    for (const space of description?.spaces ?? []) {
      const tree = treeOf(trees, description, space.kind);
      try {
        tree.request(name, space.start, BigInt(space.sizeBytes));
      } catch (error) {
        problems.addError(path, error);
      }
    }
  }
}

function treeOf(
  trees: Map<string, ResourceTree>,
  description: DeviceDescription | undefined,
  kind: 'memory' | 'port',
): ResourceTree {
  const key = `${kind} ${description?.domain}`;
  const tree = trees.get(key) ?? new ResourceTree(kind);
  trees.set(key, tree);
  return tree;
}
