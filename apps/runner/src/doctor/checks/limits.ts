import { join } from 'node:path';
import type { Check } from '../context.ts';
import { textOf } from '../files.ts';
import { good } from '../finding.ts';

/** What Node and one WebAssembly memory reserve, without using it: about 12 GiB. */
const NEEDED_BYTES = 16 * 2 ** 30;

/** Whether a limit on address space stands in the way of mappings. */
export const checkLimits: Check = ({ roots }) => {
  const [, limit] = /^Max address space +(\S+)/m.exec(textOf(join(roots.proc, 'self/limits')) ?? '') ?? [];
  const about = 'address space';
  if (limit === undefined || limit === 'unlimited' || Number(limit) >= NEEDED_BYTES) return [good(about, 'enough')];
  return [
    {
      level: 'problem',
      about,
      says: `limited to ${Math.floor(Number(limit) / 2 ** 20)} MiB`,
      cause: 'registers appear in a WebAssembly memory, for which V8 reserves 10 GiB of addresses (not of memory)',
      remedy: 'ulimit -v unlimited\n# in a unit: LimitAS=infinity, and MemoryMax= to limit memory itself',
    },
  ];
};
