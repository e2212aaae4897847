import { spawn } from 'node:child_process';

/** What a program left behind. */
export interface ToolResult {
  /** Undefined when it had to be killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a system program to its end, at most for `limitMs`; then it is killed by its process id. */
export function runTool(command: string, args: readonly string[], limitMs = 60_000): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString('utf8');
    });
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString('utf8');
    });
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ exitCode: code ?? undefined, stdout, stderr });
    });
  });
}

/** Runs a program that must succeed, and returns what it printed. */
export async function runWell(command: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runTool(command, args);
  if (exitCode !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
  return stdout;
}
