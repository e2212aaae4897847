import { describe, expect, it } from 'vitest';
import { type Code, codesIn, memoryOperations } from './test-disassembly.ts';
import { COUNTED_LINES, nodeOfLine, runInNode } from './test-engines.ts';

// Counts loads and stores in the machine code: the stores, and the widths, that no file in memory can count.

const EXPORTS = [
  'read8',
  'read16',
  'read32',
  'read64',
  'write64',
  'readFifo8',
  'readFifo16',
  'readFifo32',
  'writeFifo8',
  'writeFifo16',
  'writeFifo32',
  'readBlock',
  'writeBlock',
  'barrier',
];

const SINGLE: Readonly<Record<string, readonly string[]>> = {
  read8: ['load 8'],
  read16: ['load 16'],
  read32: ['load 32'],
  read64: ['load 64'],
  write64: ['store 64'],
  barrier: [],
};

/** The compilers unroll loops, so each of these is there once or more often, in pairs. */
const LOOPS: Readonly<Record<string, number>> = {
  readFifo8: 8,
  readFifo16: 16,
  readFifo32: 32,
  writeFifo8: 8,
  writeFifo16: 16,
  writeFifo32: 32,
};

const onX64 = describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64');

onX64.each(COUNTED_LINES)('the machine code of Node %i', (line) => {
  it.for(['--liftoff-only', '--no-liftoff'])('loads and stores exactly in WebAssembly, %s', async (wasm, context) => {
    const codes = await codesOf(nodeOfLine(line, context), 'turbofan', wasm);
    for (const [index, name] of EXPORTS.entries()) {
      const operations = memoryOperations(find(codes, String(index)));
      const width = LOOPS[name];
      // V8 addresses some words of a block in other ways: the widths of those that it does not are looked at.
      if (name.endsWith('Block'))
        expect([name, [...new Set(operations)].sort()]).toEqual([name, ['load 32', 'store 32']]);
      else if (width !== undefined) expect([name, operations]).toEqual([name, pairs(operations.length, width)]);
      else expect([name, ...operations]).toEqual([name, ...(SINGLE[name] as string[])]);
    }
    expect(find(codes, '13').instructions).toContain('mfence');
  });

  it('calls the accessor once for each read, and stores once for each write, in TurboFan', async (context) => {
    const codes = await codesOf(nodeOfLine(line, context), 'turbofan', '--no-liftoff');
    expect(callsIn(find(codes, 'probeDiscarded'))).toBe(1);
    expect(callsIn(find(codes, 'probeTwo'))).toBe(2);
    expect(callsIn(find(codes, 'probePacked'))).toBe(2);
    expect(callsIn(find(codes, 'probeStoreThenLoad'))).toBe(1);
    expect(storesIn(find(codes, 'probeStoreThenLoad'))).toEqual(['movl 0x55']);
    expect(storesIn(find(codes, 'probeStores'))).toEqual(['movl 0x51', 'movl 0x52', 'movw 0x53', 'movb 0x54']);
  });

  if (line < 24) return; // No Maglev.
  it('calls the accessor once for each read in Maglev', async (context) => {
    const codes = await codesOf(nodeOfLine(line, context), 'maglev', '--no-liftoff', '--no-turbofan');
    expect(callsIn(find(codes, 'probeDiscarded'))).toBe(1);
    expect(callsIn(find(codes, 'probeTwo'))).toBe(2);
    expect(callsIn(find(codes, 'probePacked'))).toBe(2);
  });
});

async function codesOf(node: string, tier: string, wasm: string, ...flags: readonly string[]): Promise<Code[]> {
  const all = ['--no-concurrent-recompilation', ...flags];
  return codesIn(await runInNode(node, all, 'test-machine-code.ts', tier, wasm));
}

/** The last code of that name: a function can be compiled more than once. */
function find(codes: readonly Code[], name: string): Code {
  const code = codes.findLast((candidate) => candidate.name === name);
  if (code === undefined) throw new Error(`V8 printed no code of ${name}`);
  return code;
}

/** Calls of a target that is looked up: the accessor. Builtins have names, deoptimization goes through r13. */
function callsIn({ instructions }: Code): number {
  return instructions.filter((text) => /^call (r\w+|\[r(?!13)\w+\+r\w+\*8\])$/.test(text)).length;
}

/** Stores of the numbers that the probes write. */
function storesIn({ instructions }: Code): string[] {
  return instructions.flatMap((text) => {
    const [, operation, value] = /^(mov[bwl]|REX\.W movq|xchg\w) \[.*\],(0x5\d)$/.exec(text) ?? [];
    return operation === undefined ? [] : [`${operation} ${value}`];
  });
}

function pairs(count: number, width: number): string[] {
  if (count === 0) return ['nothing is loaded or stored'];
  return Array.from({ length: Math.ceil(count / 2) }, () => [`load ${width}`, `store ${width}`]).flat();
}
