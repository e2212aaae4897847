import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Logger } from '@ring3/core';
import { endOnDefect } from '../end-on-defect.ts';
import { EXIT } from '../exit-code.ts';
import { writeToLog } from '../log.ts';
import type { FromChild, ToChild } from './messages.ts';

/** How long a process that serves nothing yet may take to stop. */
export const STARTING_STOP_MS = 2000;

/** How a child ended: an exit status, or the signal that killed it. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * The supervisor passes on what its children write. Were its own stderr theirs, starting and ending them would make that
 * blocking for all (libuv's uv_spawn, Node's exit), and a pipe that nobody reads would stop the supervisor (R22).
 */
const STDIO: StdioOptions = ['ignore', 'pipe', 'pipe', 'ipc'];

function relay(from: Readable | null, write: (line: string) => void): void {
  if (from === null) return;
  const { createInterface } = process.getBuiltinModule('node:readline');
  createInterface({ input: from }).on('line', (line) => write(`${line}\n`));
}

/** What a {@link Child} is. */
export interface ChildOptions {
  readonly name: string;
  readonly role: 'device-host' | 'front';
  /** Options of the command line, so that all processes log alike. */
  readonly logArguments: readonly string[];
  readonly heard: (message: FromChild) => void;
}

/** One process of the runner's own program, in a session of its own so that Ctrl-C reaches the supervisor alone (R20). */
export class Child {
  readonly name: string;
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;

  constructor({ name, role, logArguments, heard }: ChildOptions) {
    this.name = name;
    const entry = process.argv[1];
    if (entry === undefined) throw new Error('the runner does not know its own program file');
    // Loaded here: what the bundle imports is loaded at every start, also where nothing is forked.
    const { fork } = process.getBuiltinModule('node:child_process');
    this.#process = fork(entry, [...logArguments, role, name], { detached: true, stdio: STDIO });
    relay(this.#process.stderr, writeToLog);
    relay(this.#process.stdout, (line) => void process.stdout.write(line));
    this.#process.on('message', (message) => heard(message as FromChild));
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', async (code, signal) => {
        if (this.#process.connected) await once(this.#process, 'disconnect'); // The last message may still be on its way.
        resolve({ code, signal });
      });
      this.#process.on('error', () => resolve({ code: null, signal: null }));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends a message; a child that is gone misses it, its end is told by `ended`. */
  send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  /** Asks it to stop; kills it when that takes longer than `patienceMs`. @param late is told then. */
  stop(patienceMs: number, late: () => void): Promise<ChildEnd> {
    this.send({ kind: 'stop' });
    return this.endsWithin(patienceMs, late);
  }

  /** Waits for its end; kills it when that takes longer than `patienceMs`. @param late is told then. */
  async endsWithin(patienceMs: number, late: () => void): Promise<ChildEnd> {
    const timer = setTimeout(() => {
      late();
      this.#process.kill('SIGKILL');
    }, patienceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }
}

/** How a child ended, in words. */
export function describeEnd({ code, signal }: ChildEnd): string {
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? 'could not be started' : `exited with status ${code}`;
}

/** The first message of the supervisor to this process. */
export async function firstMessage(): Promise<ToChild> {
  const [message] = (await once(process, 'message')) as [ToChild];
  return message;
}

/** How a process that the supervisor started comes to rest. */
export interface Rest {
  /** Resolves with the reason when this process shall stop. */
  readonly stopped: Promise<string>;
  /** How long stopping may take; the process ends then, whatever hangs. */
  limitMs: number;
}

/**
 * Sees to the end of this process, call it first of all: it stops when the supervisor says so and when the supervisor is
 * dead (R21), and comes to rest after a defect. Signals for everybody, such as systemd sends, are left to the supervisor:
 * a process that obeyed them would be gone before the clients have their answers (R20).
 * @param rest what a defect has left to do.
 */
export function ruleChild(log: Logger, rest: () => Promise<void>): Rest {
  const stopped = new Promise<string>((resolve) => {
    process.on('message', (message) => {
      if ((message as ToChild).kind === 'stop') resolve('the supervisor said so');
    });
    process.on('disconnect', () => resolve('the supervisor is gone'));
  });
  const rule: Rest = { stopped, limitMs: STARTING_STOP_MS };
  void stopped.then((why) => {
    setTimeout(() => {
      log.error(`${why}, and this process did not come to rest within ${rule.limitMs} ms: ended all the same`);
      process.exit(EXIT.software);
    }, rule.limitMs);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => log.info(`${signal} is for the supervisor, process ${process.ppid}`));
  }
  endOnDefect(log, async (message) => {
    await tell({ kind: 'failed', code: undefined, message });
    await rest();
  });
  return rule;
}

/** Tells the supervisor; resolves when it is on its way. When the supervisor is gone, there is nobody to tell. */
export function tell(message: FromChild): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
