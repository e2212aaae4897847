import { BLOCK_DEVICE, type BlockDevice, type BlockDeviceInfo, type PublishedService } from '@ring3/core';
import { describeDisk } from '@ring3/rig';

const IDENTITY = ['model', 'serial', 'blockSizeBytes', 'blockCount', 'simulated'] as const;

/**
 * The disks that were exported, by the names of their services. Clients that lost one reconnect by its name, and write
 * what they had in mind for it: so no other disk may ever be found there.
 */
export class KnownDisks {
  readonly #disks = new Map<string, BlockDeviceInfo>();

  /** Why this service must not be offered under its name, in words; undefined for what is no disk, new, or the same. */
  strangeness({ className, name, service }: PublishedService): string | undefined {
    if (className !== BLOCK_DEVICE.name) return undefined;
    const { info } = service as BlockDevice;
    const known = this.#disks.get(name);
    if (known === undefined) this.#disks.set(name, { ...info });
    if (known === undefined || IDENTITY.every((key) => known[key] === info[key])) return undefined;
    return `it was ${describeDisk(known)}; what came back is ${describeDisk(info)}`;
  }
}
