import { describe, expect, it } from 'vitest';
import { COUNTED_LINES, COUNTS_ALL, nodeOfLine, runInNode } from './test-engines.ts';

// One register read in the source is one load in the machine, in each tier of each supported V8. The control does the
// same with plain typed arrays, and has to fail: otherwise nothing is proven.

interface Setting {
  readonly what: string;
  readonly tier: string;
  readonly flags: readonly string[];
  /** What V8 has to say in which tier the code was; absent: whichever it chose. */
  readonly seen?: string;
  /** The first line of Node that has it. */
  readonly since?: number;
}

const IGNITION = ['--no-sparkplug', '--no-maglev', '--no-turbofan'];
const MAGLEV: Setting = { what: 'Maglev', tier: 'maglev', flags: ['--no-turbofan'], seen: 'maglev', since: 24 };
const TURBOFAN: Setting = { what: 'TurboFan', tier: 'turbofan', flags: [], seen: 'turbofan' };
const AS_IT_COMES: Setting = { what: 'whatever V8 chooses', tier: 'as-it-comes', flags: [] };
const ALL: readonly Setting[] = [
  { what: 'the interpreter', tier: 'cold', flags: IGNITION, seen: 'ignition' },
  { what: 'Sparkplug', tier: 'sparkplug', flags: ['--no-maglev', '--no-turbofan'], seen: 'sparkplug' },
  MAGLEV,
  TURBOFAN,
  { ...TURBOFAN, what: 'Turbolev', flags: ['--turbolev'], since: 24 },
  { ...TURBOFAN, what: 'TurboFan over WebAssembly of Liftoff', flags: ['--liftoff-only'] },
  { ...TURBOFAN, what: 'TurboFan over WebAssembly of TurboFan', flags: ['--no-liftoff'] },
  { ...TURBOFAN, what: 'TurboFan with WebAssembly inlined', flags: ['--turboshaft-wasm-in-js-inlining'], since: 24 },
  AS_IT_COMES,
];
const SETTINGS = COUNTS_ALL ? ALL : [TURBOFAN, AS_IT_COMES];

interface Result {
  readonly tier: string;
  /** Pages that the reads should have touched, and did not. */
  readonly missed?: number;
  /** Whether two reads of a register that another thread changes were ever different. */
  readonly differ?: boolean;
}

/** V8 may take optimised code back at any time, on a busy machine more often: such a run says nothing and is repeated. */
const ATTEMPTS = 5;

async function measure(node: string, kind: 'mapped' | 'plain', { tier, flags, seen }: Setting) {
  for (let attempt = 1; ; attempt++) {
    const { results } = JSON.parse(await runInNode(node, flags, 'test-exactness.ts', kind, tier)) as {
      readonly results: Readonly<Record<string, Result>>;
    };
    const tiers = [...new Set(Object.values(results).map((result) => result.tier))];
    if (seen === undefined || tiers.every((one) => one === seen)) return Object.entries(results);
    if (attempt === ATTEMPTS) expect(tiers).toEqual([seen]);
  }
}

describe.skipIf(process.platform !== 'linux').each(COUNTED_LINES)('registers in Node %i', (line) => {
  const settings = SETTINGS.filter(({ since = 0 }) => line >= since);
  const patience = { timeout: 120_000 };

  it.for(settings)('are read whenever the source says so: $what', patience, async (setting, context) => {
    const results = await measure(nodeOfLine(line, context), 'mapped', setting);
    expect(results.filter(([, { missed = 0, differ = true }]) => missed > 0 || !differ)).toEqual([]);
    expect(results.length).toBe(10);
  });

  const optimizing = settings.filter((setting) => setting === MAGLEV || setting === TURBOFAN);

  it.for(optimizing)('are not read by plain typed arrays: $what', patience, async (setting, context) => {
    const results = await measure(nodeOfLine(line, context), 'plain', setting);
    const missed = results.filter(([, result]) => (result.missed ?? 0) > 0).map(([name]) => name);
    expect(missed).toEqual(expect.arrayContaining(['discarded read8', 'discarded read16', 'discarded read32']));
    const merged = results.filter(([, result]) => result.differ === false).map(([name]) => name);
    if (setting === MAGLEV) expect(merged).toEqual(['paired read32', 'paired read16']);
  });
});

// A script that runs an arm64 Node, under qemu-user for instance: minutes for each line.
const arm64 = process.env['RING3_ARM64_NODE'];

describe.skipIf(arm64 === undefined)('registers in the Node of RING3_ARM64_NODE', { timeout: 900_000 }, () => {
  it.each([MAGLEV, TURBOFAN])('are read whenever the source says so: $what', async (setting) => {
    const results = await measure(arm64 as string, 'mapped', setting);
    expect(results.filter(([, { missed = 0, differ = true }]) => missed > 0 || !differ)).toEqual([]);
  });

  it('are not read by plain typed arrays', async () => {
    const results = await measure(arm64 as string, 'plain', TURBOFAN);
    expect(results.filter(([, { missed = 0 }]) => missed > 0).length).toBe(4);
  });
});
