import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { parseArguments, usage } from './arguments.ts';
import { runInVm } from './run.ts';
import { VmError } from './vm-error.ts';

/** `pnpm vm [OPTIONS] -- COMMAND`. Exit status: the command's, 2 for wrong usage, 125 when the machine fails, 128 + N after signal N. */
async function main(): Promise<number> {
  const request = parseArguments(process.argv.slice(2));
  if (request === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Buffer) => void process[stream].write(chunk);
  if (!process.stdin.isTTY || !process.stdout.isTTY) return (await runInVm({ ...request, onOutput })).status;
  const settings = stty('-g').trim();
  try {
    return (await runInVm({ ...request, onOutput, interactive: true })).status;
  } finally {
    stty(settings); // A QEMU that was killed leaves the terminal raw.
  }
}

function stty(argument: string): string {
  return spawnSync('stty', [argument], { stdio: ['inherit', 'pipe', 'ignore'], encoding: 'utf8' }).stdout;
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    if (!(error instanceof VmError)) throw error;
    process.stderr.write(`ring3: ${error.message}\n`);
    process.exitCode =
      error.signal === undefined ? (error.wrongUsage ? 2 : 125) : 128 + constants.signals[error.signal];
  },
);
