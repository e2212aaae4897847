import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, type Row } from './row.ts';
import { pinnedClient, type Served, serveNbdkit, serveRing3 } from './served-rig.ts';

const SIZE_MIB = 256;
const RUNS = 5;
const RANDOM_READS = 20_000;

/** Reading the simulated disk over NBD, every word through the task file, beside `nbdkit file` on the same image. */
export async function diskThroughput(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-image-'));
  const image = join(folder, 'random.img');
  fill(image);
  const servers: readonly [name: string, serve: () => Promise<Served>, target: number][] = [
    ['nbdkit file', () => serveNbdkit('file', image), 0],
    ['inline', () => serveRing3(image, 'inline'), 0.1],
    ['process', () => serveRing3(image, 'process'), 0.05],
  ];
  const measured = new Map<string, { copy: number; iops: number }>();
  for (const [name, serve] of servers) measured.set(name, await measure(await serve()));
  rmSync(folder, { recursive: true });
  const peer = measured.get('nbdkit file') ?? { copy: Number.NaN, iops: Number.NaN };
  return servers.slice(1).flatMap(([name, , target]) => rowsOf(name, measured.get(name) ?? peer, peer, target));
}

async function measure(served: Served): Promise<{ copy: number; iops: number }> {
  const copies: number[] = [];
  const reads: number[] = [];
  await runMs('nbdcopy', [served.uri, 'null:']);
  for (let run = 0; run < RUNS; run++)
    copies.push((SIZE_MIB * 1.048576) / ((await runMs('nbdcopy', [served.uri, 'null:'])) / 1000));
  const bench = [
    'bench',
    '-f',
    'raw',
    '-c',
    String(RANDOM_READS),
    '-d',
    '16',
    '-s',
    '4096',
    '-S',
    '1052672',
    served.uri,
  ];
  for (let run = 0; run < RUNS; run++) reads.push(RANDOM_READS / ((await runMs('qemu-img', bench)) / 1000));
  await served.stop();
  return { copy: median(copies), iops: median(reads) };
}

function rowsOf(
  name: string,
  own: { copy: number; iops: number },
  peer: { copy: number; iops: number },
  target: number,
): Row[] {
  const ratio = own.copy / peer.copy;
  return [
    {
      what: `nbdcopy of ${SIZE_MIB} MiB to null:, ${name}`,
      ring3: `${own.copy.toFixed(0)} MB/s`,
      peer: `nbdkit file ${peer.copy.toFixed(0)} MB/s`,
      ratio,
      target: `at least ${target * 100} %`,
      met: ratio >= target,
    },
    {
      what: `4 KiB scattered reads, depth 16 (qemu-img bench), ${name}`,
      ring3: `${own.iops.toFixed(0)} /s`,
      peer: `nbdkit file ${peer.iops.toFixed(0)} /s`,
      ratio: own.iops / peer.iops,
    },
  ];
}

async function runMs(command: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(...pinnedClient(command, args), { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${status}`);
  return performance.now() - start;
}

function fill(image: string): void {
  const file = openSync(image, 'w');
  const piece = Buffer.alloc(2 ** 20);
  for (let mib = 0; mib < SIZE_MIB; mib++) writeSync(file, randomFillSync(piece));
  closeSync(file);
}
