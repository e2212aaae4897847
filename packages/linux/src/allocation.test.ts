import { describe, expect, it } from 'vitest';
import { COUNTED_LINES, COUNTS_ALL, nodeOfLine, runInNode } from './test-engines.ts';

// A driver that polls does not make garbage. A number with bit 31 set is an object of 16 bytes wherever V8 passes it on
// in the interpreter and in Sparkplug: that shows that what is measured can be seen.

const SLOW = ['--no-sparkplug', '--no-maglev', '--no-turbofan'];
const HOT = ['--no-concurrent-recompilation'];
const YOUNG = ['--max-semi-space-size=128', '--min-semi-space-size=128'];

describe.skipIf(process.platform !== 'linux' || !COUNTS_ALL).each(COUNTED_LINES)(
  'a register access in Node %i (npm run test:engines)',
  (line) => {
    const patience = { timeout: 60_000 };

    it('takes nothing of the heap when it is hot', patience, async (context) => {
      const bytes = await measure(nodeOfLine(line, context), HOT, 'as-it-comes', 0xffff_ffff);
      expect(bytes.filter(([, each]) => each > 4)).toEqual([]);
      expect(bytes.length).toBe(12);
    });

    it('takes nothing of the heap in the interpreter, but for numbers with bit 31', patience, async (context) => {
      const node = nodeOfLine(line, context);
      expect((await measure(node, SLOW, 'cold', 0x7fff_ffff)).filter(([, each]) => each > 4)).toEqual([]);
      const large = await measure(node, SLOW, 'cold', 0x8000_0000);
      expect(large.filter(([, each]) => each > 4).map(([name, each]) => [name, Math.round(each)])).toEqual([
        ['read32', 16],
      ]);
    });
  },
);

async function measure(node: string, flags: readonly string[], tier: string, value: number) {
  const printed = await runInNode(node, [...YOUNG, ...flags], 'test-allocation.ts', tier, String(value));
  return Object.entries(JSON.parse(printed) as Readonly<Record<string, number>>);
}
