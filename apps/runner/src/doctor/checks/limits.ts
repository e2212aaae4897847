import { join } from 'node:path';
import type { Check } from '../context.ts';
import { textOf } from '../files.ts';
import { good } from '../finding.ts';

/** What Node, one WebAssembly memory for 16 MiB of registers and one for a larger space reserve, without using it. */
const NEEDED_BYTES = 32 * 2 ** 30;

/** Whether a limit on address space may stand in the way of further mappings; the first one was tried. */
export const checkLimits: Check = ({ roots, facts }) => {
  const [, limit] = /^Max address space +(\S+)/m.exec(textOf(join(roots.proc, 'self/limits')) ?? '') ?? [];
  const about = 'address space';
  if (limit === undefined || limit === 'unlimited' || Number(limit) >= NEEDED_BYTES) return [good(about, 'enough')];
  return [
    {
      level: facts.mappingError === undefined ? 'warning' : 'problem',
      about,
      says: `limited to ${Math.floor(Number(limit) / 2 ** 20)} MiB`,
      cause:
        'registers appear in WebAssembly memory, for each of which V8 reserves 10 GiB of addresses (not of memory); where the first does not fit, Node 24 and 26 reserve little, Node 22 cannot map',
      remedy: 'ulimit -v unlimited\n# in a unit: LimitAS=infinity, and MemoryMax= to limit memory itself',
    },
  ];
};
