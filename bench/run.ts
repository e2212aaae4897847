import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { commandAccesses } from './command-accesses.ts';
import { diskThroughput } from './disk-throughput.ts';
import { interruptLatency } from './interrupt-latency.ts';
import { memory } from './memory.ts';
import { nbdThroughput } from './nbd-throughput.ts';
import { qemuStart } from './qemu-start.ts';
import { registerAccess } from './register-access.ts';
import { type Row, table } from './row.ts';
import { startUp } from './start-up.ts';
import { vm } from './vm.ts';

// `pnpm bench [NAME...]`: measures ring3 beside C or a peer in one run, prints a table, and writes reports/bench.json.

const SECTIONS: Readonly<Record<string, () => Promise<Row[]>>> = {
  'register-access': registerAccess,
  'interrupt-latency': interruptLatency,
  'disk-throughput': diskThroughput,
  'nbd-throughput': nbdThroughput,
  'start-up': startUp,
  'qemu-start': qemuStart,
  memory,
};

/** They boot a virtual machine, which takes minutes: measured only when they are named. */
const NAMED: typeof SECTIONS = { 'command-accesses': commandAccesses, vm };

const wanted = process.argv.slice(2);
const known = { ...SECTIONS, ...NAMED };
const unknown = wanted.filter((name) => !(name in known));
if (unknown.length > 0) {
  process.stderr.write(`no section ${unknown.join(', ')}; there is: ${Object.keys(known).join(', ')}\n`);
  process.exit(64);
}
const rows: Row[] = [];
for (const [name, measure] of Object.entries(wanted.length > 0 ? known : SECTIONS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`measuring ${name} ...\n`);
  rows.push(...(await measure()));
}
process.stdout.write(`\n${table(rows)}\n`);
const report = join(import.meta.dirname, '..', 'reports', 'bench.json');
mkdirSync(dirname(report), { recursive: true });
const machine = { node: process.version, arch: process.arch, cpu: cpus()[0]?.model, cpus: cpus().length };
writeFileSync(report, `${JSON.stringify({ date: new Date().toISOString(), machine, rows }, undefined, 2)}\n`);
