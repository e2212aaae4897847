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

/**
 * Resolves with the reason when the supervisor says that this process shall stop, and also when the supervisor is dead
 * (R21). Call it first of all: a supervisor can die at any time.
 */
export function onStop(): Promise<string> {
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if ((message as ToChild).kind === 'stop') resolve('the supervisor said so');
    });
    process.on('disconnect', () => resolve('the supervisor is gone'));
  });
}

/** Tells the supervisor; resolves when it is on its way. When the supervisor is gone, there is nobody to tell. */
export function tell(message: FromChild): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}
