import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
export async function ring3(...args: string[]): Promise<Ended> {
  const child = start(args);
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
  static async start(file: string, folder: string): Promise<ServingRunner> {
    const child = start(['run', file, '--log-format', 'text']);
    const log: string[] = [];
    if (child.stderr === null) throw new Error('no stderr');
    const lines = createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes('is served at')) resolve();
      });
      lines.once('close', () => reject(new Error(`the runner ended before it served:\n${log.join('\n')}`)));
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
  async stop(): Promise<number | null> {
    this.process.kill('SIGTERM');
    const [status] = (await once(this.process, 'exit')) as [number | null];
    return status;
  }

  /** Kills the process at once, as a loss of power would. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=ring3-source', CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const pieces: Buffer[] = [];
  stream?.on('data', (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString();
}
