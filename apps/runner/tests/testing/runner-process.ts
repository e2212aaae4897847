import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

const CLI = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

/** A folder that goes away with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ring3-runner-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** How `ring3 ARGUMENTS...` ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `ring3` to its end. */
export function ring3(...args: string[]): Promise<Ended> {
  return ring3With({}, ...args);
}

/** Runs `ring3` to its end, with more in its environment. */
export async function ring3With(environment: Readonly<Record<string, string>>, ...args: string[]): Promise<Ended> {
  const child = start(args, environment);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout: stdout(), stderr: stderr() };
}

/** A configuration with one simulated disk, exported as `disk` on a socket in `folder`. */
export function rigFile(
  folder: string,
  backendOptions: object,
  isolation: 'inline' | 'process' = 'inline',
  exportOptions: object = {},
): string {
  const config = {
    version: 1,
    name: 'test',
    isolation,
    runtimeDirectory: folder,
    devices: { ata0: { driver: 'ata-sff', backend: { type: 'sim', options: backendOptions } } },
    exports: [{ type: 'nbd', service: 'ata0/disk0', name: 'disk', socket: join(folder, 'nbd.sock'), ...exportOptions }],
  };
  const file = join(folder, 'rig.yaml');
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML.
  return file;
}

/** A configuration with a driver that has a fault (fixtures/failing.ts), and the file that its device writes to. */
export function failingRig(folder: string, fault: string, isolation: 'inline' | 'process') {
  const trace = join(folder, 'trace');
  const driver = join(import.meta.dirname, '..', 'fixtures', 'failing.ts');
  const config = {
    version: 1,
    name: 'test',
    isolation,
    runtimeDirectory: folder,
    devices: { dev0: { driver, options: { fault }, backend: { type: 'sim', options: { trace } } } },
    exports: [{ type: 'nbd', service: 'dev0/disk0', name: 'disk', socket: join(folder, 'nbd.sock') }],
  };
  const file = join(folder, 'rig.yaml');
  writeFileSync(file, JSON.stringify(config));
  return { file, trace };
}

/** The processes that a runner has started, from /proc. */
export function childrenOf({ process: runner }: ServingRunner, role = ''): number[] {
  const children: number[] = [];
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8'))?.[1];
      const words = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
      if (Number(parent) === runner.pid && (role === '' || words.includes(role))) children.push(Number(entry));
    } catch {
      // It ended while we looked.
    }
  }
  return children;
}

/** `ring3 run` while it serves. */
export class ServingRunner {
  readonly uri: string;
  readonly socket: string;
  readonly process: ChildProcess;
  readonly log: readonly string[];
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, uri: string, socket: string, log: string[], lines: AsyncIterator<string>) {
    this.process = process;
    this.uri = uri;
    this.socket = socket;
    this.log = log;
    this.#lines = lines;
  }

  /** Starts a rig that {@link rigFile} made, and waits until it serves. */
  static start(file: string, folder: string): Promise<ServingRunner> {
    return ServingRunner.startUntil('is served at', file, folder);
  }

  /** Starts a rig, and waits until the log says `text`. */
  static async startUntil(text: string, file: string, folder: string): Promise<ServingRunner> {
    const child = start(['run', file, '--log-format', 'text']);
    const log: string[] = [];
    if (child.stderr === null) throw new Error('no stderr');
    const lines = createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes(text)) resolve();
      });
      lines.once('close', () => reject(new Error(`the runner ended before it said "${text}":\n${log.join('\n')}`)));
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const socket = join(folder, 'nbd.sock');
    return new ServingRunner(child, `nbd+unix:///disk?socket=${socket}`, socket, log, lines[Symbol.asyncIterator]());
  }

  /** Resolves with the next line of the log that contains `text`. */
  async lineWith(text: string): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the runner ended before it said "${text}":\n${this.log.join('\n')}`);
      if (value.includes(text)) return value;
    }
  }

  /** Stops in order. @returns the exit status. */
  stop(): Promise<number | null> {
    this.process.kill('SIGTERM');
    return this.ended();
  }

  /** Waits until the process has ended by itself. @returns the exit status. */
  async ended(): Promise<number | null> {
    const [status] = (await once(this.process, 'exit')) as [number | null];
    return status;
  }

  /** Kills the process at once, as a loss of power would. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, ['--conditions=ring3-source', CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const pieces: Buffer[] = [];
  stream?.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}
