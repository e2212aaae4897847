import { type Claim, type DeviceDescription, ResourceTree, type SpaceResource } from '@ring3/core';

/** Who holds which addresses, per domain: addresses of the machine, of a simulated bus, of a QEMU. */
export class ClaimTable {
  readonly #trees = new Map<string, ResourceTree>();

  /**
   * Claims a range of a device for `holder`.
   * @throws DeviceError `busy` that names the holder of what overlaps.
   */
  request(holder: string, { domain }: DeviceDescription, resource: SpaceResource): Claim {
    const key = `${domain} ${resource.kind}`;
    let tree = this.#trees.get(key);
    if (tree === undefined) {
      tree = new ResourceTree(resource.kind);
      this.#trees.set(key, tree);
    }
    const label = resource.name ?? (resource.bar === undefined ? resource.kind : `BAR ${resource.bar}`);
    return tree.request(`${holder} ${label}`, resource.start, BigInt(resource.sizeBytes));
  }

  /** The trees as the kernel prints them, under the name of their domain. */
  toString(): string {
    return [...this.#trees]
      .filter(([, tree]) => tree.toString() !== '')
      .map(([key, tree]) => `${key}\n${tree}`)
      .join('\n');
  }
}
