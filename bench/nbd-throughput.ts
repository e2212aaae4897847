import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './row.ts';
import { pinnedClient, type Served, serveNbdkit, serveNbdMemory } from './served-rig.ts';

const SIZE_MIB = 256;
const ROUNDS = Number(process.env['RING3_BENCH_ROUNDS'] ?? 7);
const SMALL_REQUESTS = 60_000;

interface Workload {
  readonly what: string;
  readonly target: number;
  readonly unit: string;
  /** What is done in all, in that unit. */
  readonly amount: number;
  readonly command: (uri: string, image: string) => [string, string[]];
}

/** 4 KiB at places far from each other, sixteen at a time. */
function small(...more: readonly string[]): Workload['command'] {
  const how = ['-c', String(SMALL_REQUESTS), '-d', '16', '-s', '4096', '-S', '1052672'];
  return (uri) => ['qemu-img', ['bench', '-f', 'raw', '-t', 'none', ...how, ...more, uri]];
}

const MEGABYTES = SIZE_MIB * 1.048576;
const WORKLOADS: readonly Workload[] = [
  { what: '4 KiB reads, depth 16', target: 0.5, unit: '/s', amount: SMALL_REQUESTS, command: small() },
  { what: '4 KiB writes, depth 16', target: 0.5, unit: '/s', amount: SMALL_REQUESTS, command: small('-w') },
  {
    what: `nbdcopy of ${SIZE_MIB} MiB to null: in requests of 1 MiB`,
    target: 0.7,
    unit: 'MB/s',
    amount: MEGABYTES,
    command: (uri) => ['nbdcopy', ['--request-size=1048576', uri, 'null:']],
  },
  {
    what: `nbdcopy of ${SIZE_MIB} MiB in, in requests of 1 MiB`,
    target: 0.7,
    unit: 'MB/s',
    amount: MEGABYTES,
    command: (uri, image) => ['nbdcopy', ['--request-size=1048576', image, uri]],
  },
];

/** The NBD server on a disk in one buffer beside `nbdkit memory`, full of the same kind of bytes; the sides take turns. */
export async function nbdThroughput(): Promise<Row[]> {
  const folder = mkdtempSync('/dev/shm/ring3-bench-');
  const image = join(folder, 'image');
  writeFileSync(image, randomFillSync(Buffer.allocUnsafeSlow(SIZE_MIB * 2 ** 20)));
  const ring3 = await serveNbdMemory(SIZE_MIB);
  const peer = await serveNbdkit('memory', `${SIZE_MIB}M`);
  await runMs('nbdcopy', [image, peer.uri]); // An empty one has nothing to send.
  try {
    const rows: Row[] = [];
    for (const workload of WORKLOADS) rows.push(await compare(workload, ring3, peer, image));
    return rows;
  } finally {
    await ring3.stop();
    await peer.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The best round of each side counts: what else the machine does only takes away. */
async function compare(workload: Workload, ring3: Served, peer: Served, image: string): Promise<Row> {
  let [own, other] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    own = Math.max(own, await rate(workload, ring3, image));
    other = Math.max(other, await rate(workload, peer, image));
  }
  const ratio = own / other;
  return {
    what: `${workload.what}, from memory`,
    ring3: `${own.toFixed(0)} ${workload.unit}`,
    peer: `nbdkit memory ${other.toFixed(0)} ${workload.unit}`,
    ratio,
    target: `at least ${workload.target * 100} %`,
    met: ratio >= workload.target,
  };
}

async function rate({ amount, command }: Workload, { uri }: Served, image: string): Promise<number> {
  return amount / ((await runMs(...command(uri, image))) / 1000);
}

async function runMs(command: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(...pinnedClient(command, args), { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${status}`);
  return performance.now() - start;
}
