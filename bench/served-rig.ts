import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The bundled runner, as it is installed; the bench builds it first (`pnpm bench`). */
const RUNNER = join(import.meta.dirname, '..', 'apps', 'runner', 'dist', 'cli.js');

/** A server that a client can be pointed at. */
export interface Served {
  readonly uri: string;
  readonly pid: number;
  /** From spawn to the line that says it serves. */
  readonly startMs: number;
  stop(): Promise<void>;
}

/** The processors of servers and clients: both sides of a comparison are pinned alike. */
const SERVER_CPU = '0';
const CLIENT_CPU = '1';

/** A command line pinned to the processor of the clients. */
export function pinnedClient(command: string, args: readonly string[]): [string, string[]] {
  return ['taskset', ['-c', CLIENT_CPU, command, ...args]];
}

/** Starts the runner on an image and waits until it serves. */
export async function serveRing3(image: string, isolation: 'inline' | 'process'): Promise<Served> {
  if (!existsSync(RUNNER)) throw new Error(`${RUNNER} is missing: run it through "pnpm bench", which builds it`);
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  const config = join(folder, 'bench.yaml');
  const socket = join(folder, 'bench.sock');
  writeFileSync(config, rigFor(image, isolation, folder, socket));
  const start = performance.now();
  const child = spawn('taskset', ['-c', SERVER_CPU, process.execPath, RUNNER, 'run', config, '--log-format', 'text'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await lineThatSays(child, 'is served at');
  const startMs = performance.now() - start;
  return {
    uri: `nbd+unix:///disk?socket=${socket}`,
    pid: child.pid ?? 0,
    startMs,
    stop: () => stop(child, folder),
  };
}

/** Starts the NBD server on a disk in memory, from source, and waits until it serves. */
export async function serveNbdMemory(sizeMib: number): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  const socket = join(folder, 'memory.sock');
  const server = join(import.meta.dirname, 'nbd-memory-server.ts');
  const args = ['--conditions=ring3-source', server, socket, String(sizeMib)];
  const start = performance.now();
  const child = spawn('taskset', ['-c', SERVER_CPU, process.execPath, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await lineThatSays(child, 'is served at');
  const startMs = performance.now() - start;
  return { uri: `nbd+unix:///?socket=${socket}`, pid: child.pid ?? 0, startMs, stop: () => stop(child, folder) };
}

/** Starts nbdkit with a plugin: `file` on an image, `memory` of a size. */
export async function serveNbdkit(...plugin: readonly string[]): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-bench-'));
  const socket = join(folder, 'peer.sock');
  const pidFile = join(folder, 'pid');
  const start = performance.now();
  const args = ['-c', SERVER_CPU, 'nbdkit', '-f', '-P', pidFile, '-U', socket, ...plugin];
  const child = spawn('taskset', args, { stdio: 'ignore' });
  // nbdkit writes its pid file when it accepts connections: nbdkit(1).
  while (!existsSync(pidFile)) {
    if (child.exitCode !== null) throw new Error('nbdkit did not start: apt install nbdkit');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const startMs = performance.now() - start;
  return {
    uri: `nbd+unix:///?socket=${socket}`,
    pid: child.pid ?? 0,
    startMs,
    stop: () => stop(child, folder),
  };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  child.kill('SIGTERM');
  await once(child, 'exit');
  rmSync(folder, { recursive: true });
}

function rigFor(image: string, isolation: string, folder: string, socket: string): string {
  return `version: 1
name: bench
isolation: ${isolation}
runtimeDirectory: ${folder}
devices:
  ata0:
    driver: ata-sff
    backend: { type: sim, options: { image: ${image} } }
exports:
  - { type: nbd, service: ata0/disk0, name: disk, socket: ${socket} }
`;
}

async function lineThatSays(child: ChildProcess, text: string): Promise<void> {
  const said: string[] = [];
  if (child.stderr === null) throw new Error('the child has no stderr');
  const lines = createInterface({ input: child.stderr });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes(text)) resolve();
    });
    lines.once('close', () => reject(new Error(`it ended before it served:\n${said.join('\n')}`)));
  });
}
