import type { Check } from '../context.ts';
import { good } from '../finding.ts';

/** The oldest Node that ring3 runs on. */
const OLDEST = [22, 18] as const;

/** Whether Node is new enough. */
export const checkNode: Check = ({ facts: { nodeVersion } }) => {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return [good('node', `Node ${nodeVersion}`)];
  return [
    {
      level: 'problem',
      about: 'node',
      says: `Node ${nodeVersion} is too old`,
      cause: `ring3 needs Node ${OLDEST.join('.')} or later (22, 24 or 26)`,
      remedy: 'curl -fsSL https://deb.nodesource.com/setup_24.x | sudo -E bash - && sudo apt-get install -y nodejs',
    },
  ];
};
