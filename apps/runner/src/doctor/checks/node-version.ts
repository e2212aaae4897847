import { tooOld } from '../../node-version.ts';
import type { Check } from '../context.ts';
import { good } from '../finding.ts';

/** Whether Node is new enough. */
export const checkNode: Check = ({ facts: { nodeVersion } }) => {
  const words = tooOld(nodeVersion);
  if (words === undefined) return [good('node', `Node ${nodeVersion}`)];
  return [{ level: 'problem', about: 'node', says: `Node ${nodeVersion} is too old`, ...words }];
};
