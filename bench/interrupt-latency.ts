import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Row } from './row.ts';

// How long from the event until the owner's handler runs, and until fired$ delivers. The device is a C program that
// writes a count into a FIFO, as a UIO node gives it; the way from there is that of backend-uio, only the node is
// a FIFO. The peer is a C loop around a blocking read(). Handlers are pinned to one processor, the device to another,
// which wakes them as an interrupt does; times are CLOCK_MONOTONIC.

const BACK_TO_BACK = 20_000;
/** The long run: interrupts at 1 kHz under allocation load. Ten minutes with RING3_BENCH_SECONDS=600. */
const LOAD_SECONDS = Number(process.env['RING3_BENCH_SECONDS'] ?? 20);
const GAP_US = 1000;
const WARM_UP = 2000;

interface Latencies {
  readonly handlerUs: readonly number[];
  readonly firedUs: readonly number[];
}

/** Interrupt to handler and to `fired$`, beside a loop in C. */
export async function interruptLatency(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  try {
    const program = join(folder, 'peer');
    execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, 'native', 'interrupt-peer.c')]);
    const run = (handler: readonly string[], count: number, gapUs: number) =>
      measure(folder, program, handler, count, gapUs);
    const script = join(import.meta.dirname, 'interrupt-handler.ts');
    const ring3 = [process.execPath, '--conditions=ring3-source', script];
    const peer = await run([program, 'handler'], BACK_TO_BACK, 0);
    const idle = await run([...ring3, 'idle'], BACK_TO_BACK, 0);
    const loadCount = (LOAD_SECONDS * 1e6) / GAP_US;
    const loaded = await run([...ring3, 'allocating'], loadCount, GAP_US);
    const peerLoaded = await run([program, 'handler'], Math.min(loadCount, 20_000), GAP_US);
    return [...compared(idle, peer), ...underLoad(loaded, peerLoaded)];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Starts a handler on a new pair of FIFOs and lets the device raise its interrupts. */
async function measure(
  folder: string,
  program: string,
  handler: readonly string[],
  count: number,
  gapUs: number,
): Promise<Latencies> {
  const [irq, ack] = [join(folder, 'irq'), join(folder, 'ack')];
  execFileSync('mkfifo', [irq, ack]);
  const listening = spawn('taskset', ['-c', '0', ...handler, irq, ack], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(listening.stdout, 'data'); // It is ready: an event before that would be lost, as on a real node.
  const elsewhere = ['-c', availableParallelism() > 1 ? '1' : '0'];
  const orders = ['device', irq, ack, String(count + WARM_UP), String(gapUs)];
  const device = spawn('taskset', [...elsewhere, program, ...orders], { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  device.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(listening, 'exit').then(() => device.kill());
  await once(device, 'close');
  listening.kill();
  await ended;
  rmSync(irq);
  rmSync(ack);
  const lines = Buffer.concat(chunks).toString().trim().split('\n').slice(WARM_UP);
  if (lines.length < count) throw new Error(`${handler.join(' ')} handled ${lines.length} interrupts of ${count}`);
  const column = (index: number) => lines.map((line) => Number(line.split(' ')[index]) / 1000).sort((a, b) => a - b);
  return { handlerUs: column(0), firedUs: column(1) };
}

function compared(ring3: Latencies, peer: Latencies): Row[] {
  const base = at(peer.handlerUs, 0.5);
  const row = (what: string, sorted: readonly number[]): Row => {
    const ratio = at(sorted, 0.5) / base;
    return {
      what,
      ring3: us(at(sorted, 0.5)),
      peer: `C read(): ${us(base)}`,
      ratio,
      target: 'at most 2.5 times',
      met: ratio <= 2.5,
    };
  };
  return [
    row('interrupt to handler, back to back, p50', ring3.handlerUs),
    row('interrupt to fired$, back to back, p50', ring3.firedUs),
  ];
}

function underLoad({ firedUs }: Latencies, { handlerUs }: Latencies): Row[] {
  const worst = at(firedUs, 1);
  const quantiles = (sorted: readonly number[]) =>
    [0.5, 0.99, 0.9999, 1].map((part) => us(at(sorted, part))).join(', ');
  return [
    {
      what: `interrupt to fired$ at 1 kHz, ${LOAD_SECONDS} s of allocation load: p50, p99, p99.99, maximum`,
      ring3: quantiles(firedUs),
      peer: `C read(), no load: ${quantiles(handlerUs)}`,
    },
    ...[11_520, 100_000].map((rate) => ({
      what: `depth of a FIFO that loses nothing at ${rate} words/s, from that maximum`,
      ring3: `${Math.ceil((rate * worst) / 1e6)} words`,
    })),
  ];
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}

function us(value: number): string {
  return value < 1000 ? `${value.toFixed(1)} us` : `${(value / 1000).toFixed(2)} ms`;
}
