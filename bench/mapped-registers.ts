import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './row.ts';

const ROUNDS = 7;
const CPU = '1';
const NATIVE = join(import.meta.dirname, 'native');

type Figures = Readonly<Record<string, number>>;

/** Registers in a file in memory: ring3, C and Python on the same pages, on one processor, in turn. */
export function mappedRegisters(): Row[] {
  const folder = mkdtempSync('/dev/shm/ring3-bench-');
  try {
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function measure(folder: string): Row[] {
  const file = join(folder, 'registers');
  writeFileSync(file, Buffer.alloc(0x1_0000));
  const program = join(folder, 'peer');
  execFileSync('gcc', ['-O2', '-o', program, join(NATIVE, 'register-peer.c')]);
  const node = [process.execPath, '--conditions=ring3-source', join(import.meta.dirname, 'register-side.ts'), file];
  const rounds = Array.from({ length: ROUNDS }, () => ({
    c: run([program, file]),
    python: run(['python3', join(NATIVE, 'register-peer.py'), file]),
    ring3: run(node),
    three: run([...node, 'three']),
    five: run([...node, 'five']),
  }));
  // The best round of each side: what else the machine does only adds.
  const of = (side: keyof (typeof rounds)[number], name: string) =>
    Math.min(...rounds.map((round) => round[side][name] ?? Number.NaN));
  const [read, write] = [of('ring3', 'read'), of('ring3', 'write')];
  const python = of('python', 'read') / read;
  const [block, fifo] = ['block', 'fifo'].map((name) => of('ring3', name) / of('c', name)) as [number, number];
  const beside = (side: 'c' | 'python', name: string) => ns(of(side, name));
  return [
    { what: 'mapped 32-bit read, checked', ring3: ns(read), target: 'at most 10 ns', met: read <= 10 },
    {
      what: 'mapped 32-bit read, checked',
      ring3: ns(read),
      peer: `python mmap + struct ${beside('python', 'read')}`,
      ratio: python,
      target: 'at least 50 times faster',
      met: python >= 50,
    },
    against('mapped 32-bit read, checked', 'c', 'read'),
    { what: 'mapped 32-bit write, checked', ring3: ns(write), target: 'at most 6 ns', met: write <= 6 },
    against('mapped 32-bit write, checked', 'c', 'write'),
    { ...against('mapped block of 256 words', 'c', 'block'), target: 'at most 2 times C', met: block <= 2 },
    { ...against('mapped FIFO of 512 bytes, 16 bits', 'c', 'fifo'), target: 'at most 2 times C', met: fifo <= 2 },
    {
      what: mixed('read', 'three'),
      ring3: ns(of('three', 'read')),
      target: 'at most 10 ns',
      met: of('three', 'read') <= 10,
    },
    {
      what: mixed('write', 'three'),
      ring3: ns(of('three', 'write')),
      target: 'at most 6 ns',
      met: of('three', 'write') <= 6,
    },
    { what: mixed('read', 'five'), ring3: ns(of('five', 'read')), target: 'reported' },
    { what: mixed('write', 'five'), ring3: ns(of('five', 'write')), target: 'reported' },
  ];

  function against(what: string, side: 'c', name: string): Row {
    return {
      what,
      ring3: ns(of('ring3', name)),
      peer: `C, volatile ${beside(side, name)}`,
      ratio: of('ring3', name) / of(side, name),
      target: 'reported',
    };
  }
}

/** V8 inlines up to four kinds of registers at the one place where all spaces reach them. */
function mixed(name: string, kinds: string): string {
  return `mapped 32-bit ${name}, ${kinds} kinds of registers in the process`;
}

function run(command: readonly string[]): Figures {
  return JSON.parse(execFileSync('taskset', ['-c', CPU, ...command], { encoding: 'utf8' })) as Figures;
}

function ns(value: number): string {
  return `${value.toPrecision(3)} ns`;
}
