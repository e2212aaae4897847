// Runs commands side by side, prints one line for each and, of those that fail, what they said.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The parts of `pnpm check`, the long ones first. */
export const checks = [
  { name: 'packages', command: ['node', 'scripts/check-packages.mjs'] },
  { name: 'unused', command: ['knip', '--no-progress', '--no-config-hints'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'style', command: ['biome', 'check', '--error-on-warnings', '--colors=off', '.'] },
  { name: 'arrows', command: ['node', 'scripts/check-arrows.mjs'] },
  { name: 'traces', command: ['node', 'scripts/check-traces.mjs'] },
];

/** Runs parts, as many at a time as there are processors; true when all of them passed. */
export async function runParts(parts) {
  const waiting = [...parts];
  const results = [];
  const worker = async () => {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) results.push(await runPart(part));
  };
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return results;
}

/** Writes reports/check.json, which scripts/report.mjs counts. */
export function writeReport(results) {
  mkdirSync('reports', { recursive: true });
  writeFileSync('reports/check.json', `${JSON.stringify(results, undefined, 2)}\n`);
}

async function runPart({ name, command, summary = /(.*)\s*$/ }) {
  const started = performance.now();
  const { ok, output } = await capture(command);
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  const remark = ok ? (summary.exec(output.trimEnd())?.[1] ?? '') : 'see below';
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s  ${remark}`);
  if (!ok) console.log(`\n$ ${command.join(' ')}\n${output.trimEnd()}\n`);
  return { name, ok, seconds };
}

function capture([file, ...args]) {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env, shell: process.platform === 'win32' });
    const chunks = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ ok: false, output: error.message }));
    child.on('close', (code) => resolve({ ok: code === 0, output: Buffer.concat(chunks).toString() }));
  });
}
