import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findNode, NODE_LINES } from '../../../packages/linux/src/test-engines.ts';
import { EXACT, PLAIN } from '../../../packages/linux/src/test-witness-cases.ts';
import { AccessCounter, type AccessCounts, TracePipe } from '../src/access-trace.ts';
import { bundleProgram } from '../src/bundle.ts';
import { checkout, runInVm } from '../src/run.ts';

// Accesses through the public API, counted outside of the kernel and of V8: by the QEMU that emulates the devices.
// The program is packages/linux/src/test-witness.ts; each setting below is a process of it, all in one machine.

interface Setting {
  readonly line: number;
  readonly what: string;
  readonly tier: string;
  readonly flags: string;
  /** What V8 has to say in which tier the code was; absent: whichever it chose. */
  readonly seen?: string;
}

/** Code that was compiled is neither replaced in the middle of a loop nor late: all accesses are its own. */
const KEEP = '--no-use-osr --no-concurrent-recompilation';

const COMPILERS = [
  { what: 'the interpreter', tier: 'cold', flags: '--no-sparkplug --no-maglev --no-turbofan', seen: 'ignition' },
  { what: 'Sparkplug', tier: 'sparkplug', flags: '--no-maglev --no-turbofan', seen: 'sparkplug' },
  { what: 'Maglev', tier: 'maglev', flags: `${KEEP} --no-turbofan`, seen: 'maglev', since: 24 },
  { what: 'TurboFan', tier: 'turbofan', flags: KEEP, seen: 'turbofan' },
  { what: 'TurboFan over WebAssembly of Liftoff', tier: 'turbofan', flags: `${KEEP} --liftoff-only`, seen: 'turbofan' },
  { what: 'TurboFan over WebAssembly of TurboFan', tier: 'turbofan', flags: `${KEEP} --no-liftoff`, seen: 'turbofan' },
  { what: 'whatever V8 chooses', tier: 'as-it-comes', flags: '' },
];

const SETTINGS: readonly Setting[] = NODE_LINES.flatMap((line) =>
  COMPILERS.filter(({ since = 0 }) => line >= since).map((compiler) => ({ line, ...compiler })),
);
const OPTIMIZING = SETTINGS.filter(({ tier, flags }) => tier === 'maglev' || (tier === 'turbofan' && flags === KEEP));

interface Run {
  readonly tiers: Readonly<Record<string, string>>;
  readonly counts: Readonly<Record<string, AccessCounts>>;
  readonly words: string;
}

/** The mark before the case `index` of a run; the one behind it is higher by one. */
const markOf = (run: number, index: number) => ((0x5a << 24) | (run << 16) | (index << 1)) >>> 0;

let runs: readonly Run[] = [];

beforeAll(async () => {
  const counter = new AccessCounter(['sdhci', 'edu-mmio'], (value) => value >>> 24 === 0x5a);
  const folder = mkdtempSync(join(tmpdir(), 'ring3-trace-'));
  const script = join(checkout, 'packages', 'linux', 'node_modules', '.ring3-vm', 'witness.sh');
  const program = await bundleProgram(join(checkout, 'packages', 'linux'), 'test-witness');
  const trace = new TracePipe(folder, counter);
  const words: string[][] = [];
  writeFileSync(script, SETTINGS.map((setting, run) => commandOf(setting, program, run)).join('\n'));
  try {
    await runInVm({
      command: ['sh', script],
      devices: ['edu', 'edu', 'sdhci-pci'],
      qemuArguments: trace.qemuArguments,
      timeoutSeconds: 900,
      collect: (share) => {
        for (const run of SETTINGS.keys()) words.push(['out', 'err'].map((end) => read(join(share, `${run}.${end}`))));
      },
    });
    await trace.finish();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const marked = new Map(counter.marked.map(({ mark, counts }) => [mark, counts]));
  runs = words.map(([out = '', err = ''], run) => resultOf(run, out, err, marked));
}, 960_000);

function commandOf({ line, tier, flags }: Setting, program: string, run: number): string {
  const node = findNode(line);
  if (node === undefined) return '';
  const out = `"$RING3_VM_SHARE/${run}"`;
  return `timeout 120 ${node} --allow-natives-syntax ${flags} ${program} ${tier} ${run} > ${out}.out 2> ${out}.err`;
}

function resultOf(run: number, out: string, err: string, marked: ReadonlyMap<number, AccessCounts>): Run {
  const names = [...Object.keys(EXACT), ...Object.keys(PLAIN)];
  const counts = names.flatMap((name, index) => {
    const [start, end] = [marked.get(markOf(run, index)), marked.has(markOf(run, index) + 1)];
    return start !== undefined && end ? [[name, start] as const] : [];
  });
  const tiers = out === '' ? {} : (JSON.parse(out) as { readonly tiers: Run['tiers'] }).tiers;
  return { tiers, counts: Object.fromEntries(counts), words: err };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function runOf(setting: Setting, skip: (reason: string) => void): Run {
  if (findNode(setting.line) === undefined) {
    const reason = `no Node ${setting.line} at hand (node scripts/nodes.mjs fetches it)`;
    if (process.env['RING3_REQUIRE_TOOLS'] === '1') throw new Error(reason);
    skip(reason);
  }
  const run = runs[SETTINGS.indexOf(setting)];
  if (run === undefined) throw new Error('the machine has not run it');
  if (Object.keys(run.tiers).length === 0) throw new Error(`the program did not come to its end: ${run.words}`);
  return run;
}

describe('the device sees each access once, in its width', () => {
  it.for(SETTINGS)('in Node $line by $what', (setting, { skip }) => {
    const { tiers, counts } = runOf(setting, skip);
    const exact = Object.entries(EXACT);
    const seen = Object.fromEntries(exact.map(([name]) => [name, counts[name]]));
    expect(seen).toEqual(Object.fromEntries(exact.map(([name, { expected }]) => [name, expected])));
    if (setting.seen !== undefined)
      expect(Object.entries(tiers).filter(([, tier]) => tier !== setting.seen)).toEqual([]);
  });
});

describe('the device sees fewer reads than the source has where a typed array is read plainly', () => {
  it.for(OPTIMIZING)('in Node $line by $what', (setting, { skip }) => {
    const { counts } = runOf(setting, skip);
    const missed = Object.entries(PLAIN).filter(
      ([name, { expected }]) => (counts[name]?.['read 32'] ?? 0) < (expected['read 32'] ?? 0),
    );
    expect(missed.map(([name]) => name)).toEqual(expect.arrayContaining(['plain read, value not used']));
    if (setting.tier === 'maglev') expect(missed.map(([name]) => name)).toContain('plain read, twice');
  });
});
