import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { FromChild, ToChild } from './messages.ts';

/** How a child ended: an exit status, or the signal that killed it. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process of the runner's own program, in a session of its own so that Ctrl-C reaches the supervisor alone (R20). */
export class Child {
  readonly name: string;
  readonly ended: Promise<ChildEnd>;
  readonly #process: ChildProcess;

  constructor(
    name: string,
    role: 'device-host' | 'front',
    heard: (message: FromChild) => void,
    extraArguments: string[] = [],
  ) {
    this.name = name;
    const entry = process.argv[1];
    if (entry === undefined) throw new Error('the runner does not know its own program file');
    this.#process = fork(entry, [role, name, ...extraArguments], { detached: true, serialization: 'json' });
    this.#process.on('message', (message) => heard(message as FromChild));
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve({ code, signal }));
      this.#process.once('error', () => resolve({ code: null, signal: null }));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Sends a message; a child that is gone misses it, its end is told by `ended`. */
  send(message: ToChild): void {
    if (this.#process.connected) this.#process.send(message, () => {});
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
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

/** Tells the supervisor; when it is gone, there is nobody to tell. */
export function tell(message: FromChild): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}
