import { join } from 'node:path';
import type { Check } from '../context.ts';
import { namesIn } from '../files.ts';
import { good } from '../finding.ts';

/** What contains the DMA of a device; nothing that ring3 needs. */
export const checkIommu: Check = ({ roots }) => {
  const groups = namesIn(join(roots.sys, 'kernel/iommu_groups')).length;
  const says = groups === 0 ? 'none: a device with DMA can write anywhere in memory' : `${groups} group(s)`;
  return [good('IOMMU', says)];
};
