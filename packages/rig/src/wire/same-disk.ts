import type { BlockDeviceInfo } from '@ring3/core';

const IDENTITY = ['model', 'serial', 'blockSizeBytes', 'blockCount', 'readOnly', 'volatileCache', 'simulated'] as const;

/**
 * In which facts a disk that came back is not the one that left; empty when it may take its place.
 * Longer transfers than before do no harm, shorter ones do: users rely on the length they were told. Trim does not count:
 * a disk that forgets to do it has done nothing wrong.
 */
export function differences(left: BlockDeviceInfo, back: BlockDeviceInfo): string[] {
  const found: string[] = IDENTITY.filter((key) => left[key] !== back[key]).map(
    (key) => `${key} was ${JSON.stringify(left[key])} and is ${JSON.stringify(back[key])}`,
  );
  if (back.maxTransferBlocks < left.maxTransferBlocks) {
    found.push(`maxTransferBlocks was ${left.maxTransferBlocks} and is ${back.maxTransferBlocks}`);
  }
  return found;
}

/** A disk in a few words: `QEMU HARDDISK, serial "QM00001", 2048 blocks of 512`. */
export function describeDisk({ model, serial, blockCount, blockSizeBytes }: BlockDeviceInfo): string {
  return `${model || 'a disk without a name'}, serial ${JSON.stringify(serial)}, ${blockCount} blocks of ${blockSizeBytes}`;
}
