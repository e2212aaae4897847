import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A TypeScript module that runs in a Node of its own; `import` reaches the files of this folder as './name.ts'. */
export interface Script {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The next line that it prints; rejects with what it wrote to stderr when it ends before. */
  line(): Promise<string>;
  /** How it ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** Starts a script. */
export function startScript(source: string, ...args: string[]): Script {
  const here = source.replaceAll(/from '\.\//g, `from '${new URL('./', import.meta.url).href}`);
  const flags = ['--conditions=ring3-source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, '--input-type=module-typescript', '-e', here, '--', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const lines: string[] = [];
  let rest = '';
  const news = new EventTarget();
  child.stdout.on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    news.dispatchEvent(new Event('line'));
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stderr }));
  return {
    child,
    ended,
    async line() {
      while (lines.length === 0) {
        const end = await Promise.race([once(news, 'line').then(() => undefined), ended]);
        if (end !== undefined && lines.length === 0) throw new Error(`the script ended: ${JSON.stringify(end)}`);
      }
      return lines.shift() as string;
    },
  };
}
